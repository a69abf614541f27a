import type { Place } from "./tree.ts";

/** A script for zsh, to be loaded by \`compinit\` as \`_picloud\`, or sourced. */
export function zsh(places: readonly Place[]): string {
  return `#compdef picloud pic
# zsh completion for picloud and pic, made by \`picloud completions zsh\`.
_picloud() {
  local place="" i
  local -a found
  for ((i = 2; i < CURRENT; i++)); do
    case "$place \${words[i]}" in
${walk(places)}
    esac
  done
  case "$place \${words[CURRENT-1]}" in
${values(places)}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$place" in
${places.map(({ path, options }) => `      (${quoted(path)}) found=(${options.map(({ names, description }) => described(names[0] ?? "", description)).join(" ")}) ;;`).join("\n")}
    esac
    _describe option found
  else
    case "$place" in
${places.map((place) => `      (${quoted(place.path)}) ${here(place)} ;;`).join("\n")}
    esac
    (( \${#found} )) && _describe command found
  fi
}
if [[ $funcstack[1] == _picloud ]]; then _picloud "$@"; else compdef _picloud picloud pic; fi
`;
}

function walk(places: readonly Place[]): string {
  return places
    .flatMap(({ path, commands, options }) => [
      ...options
        .filter(({ takesValue }) => takesValue)
        .map(({ names }) => `      (${names.map((name) => quoted(`${path} ${name}`)).join("|")}) ((i++)) ;;`),
      ...commands.map(
        ({ names }) =>
          `      (${names.map((name) => quoted(`${path} ${name}`)).join("|")}) place=${quoted(`${path} ${names[0]}`)} ;;`,
      ),
    ])
    .join("\n");
}

function values(places: readonly Place[]): string {
  return places
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map(
          ({ names, values: allowed }) =>
            `    (${names.map((name) => quoted(`${path} ${name}`)).join("|")}) ${allowed.length > 0 ? `compadd -- ${allowed.join(" ")}` : "_files"}; return ;;`,
        ),
    )
    .join("\n");
}

function here({ commands, words, takesFiles }: Place): string {
  const found = [
    ...commands.flatMap(({ names, description }) => names.map((name) => described(name, description))),
    ...words.map((word) => `'${word}'`),
  ];
  return `found=(${found.join(" ")})${takesFiles ? "; _files" : ""}`;
}

const quoted = (text: string): string => `"${text}"`;

/** `name:description`, in single quotes. */
const described = (name: string, description: string): string =>
  `'${name.replaceAll(":", "\\:")}:${description.replaceAll("'", String.raw`'\''`)}'`;
