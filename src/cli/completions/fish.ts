import type { CompletedOption, Place } from "./tree.ts";

/** A script for fish (3.0 or newer). */
export function fish(places: readonly Place[]): string {
  return `# fish completion for picloud and pic, made by \`picloud completions fish\`.
function __picloud_at
    set -l place ""
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
            continue
        end
        switch "$place $word"
${walk(places)}
        end
    end
    test "$place" = "$argv[1]"
end
complete -c picloud -f
complete -c pic -w picloud
${places.flatMap(entries).join("\n")}
`;
}

function walk(places: readonly Place[]): string {
  return places
    .flatMap(({ path, commands, options }) => [
      ...options
        .filter(({ takesValue }) => takesValue)
        .map(
          ({ names }) =>
            `            case ${names.map((name) => quoted(`${path} ${name}`)).join(" ")}\n                set skip 1`,
        ),
      ...commands.map(
        ({ names }) =>
          `            case ${names.map((name) => quoted(`${path} ${name}`)).join(" ")}\n                set place ${quoted(`${path} ${names[0]}`)}`,
      ),
    ])
    .join("\n");
}

function entries({ path, commands, options, words, takesFiles }: Place): string[] {
  const here = `complete -c picloud -n ${quoted(`__picloud_at "${path}"`)}`;
  return [
    ...commands.flatMap(({ names, description }) =>
      names.map((name) => `${here} -a ${quoted(name)} -d ${quoted(description)}`),
    ),
    ...(words.length > 0 ? [`${here} -a ${quoted(words.join(" "))}`] : []),
    ...(takesFiles ? [`${here} -F`] : []),
    ...options.map((option) => `${here} ${flags(option)} -d ${quoted(option.description)}`),
  ];
}

function flags({ names, takesValue, values }: CompletedOption): string {
  const spelled = names
    .map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
    .join(" ");
  if (!takesValue) return spelled;
  return values.length > 0 ? `${spelled} -x -a ${quoted(values.join(" "))}` : `${spelled} -r -F`;
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
