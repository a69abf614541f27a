import type { Place } from "./tree.ts";

/** A script for bash (3.2 or newer) that needs nothing but bash itself. */
export function bash(places: readonly Place[]): string {
  return `# bash completion for picloud and pic, made by \`picloud completions bash\`.
_picloud() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} place="" i
  local IFS=$'\\n' words="" files=""
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place \${COMP_WORDS[i]}" in
${walk(places)}
    esac
  done
  case "$place $prev" in
${values(places)}
    *)
      if [[ $cur == -* ]]; then
        case "$place" in
${at(places, (place) => `words=${lines(place.options.flatMap(({ names }) => names))}`)}
        esac
      else
        case "$place" in
${at(places, here)}
        esac
      fi
      ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  if [[ $files ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$cur"))
  fi
}
complete -F _picloud picloud pic
`;
}

/** Follows the words that were typed: values of options are skipped, names of commands lead on. */
function walk(places: readonly Place[]): string {
  return places
    .flatMap(({ path, commands, options }) => [
      ...options
        .filter(({ takesValue }) => takesValue)
        .map(({ names }) => `      ${names.map((name) => quoted(`${path} ${name}`)).join("|")}) ((i++)) ;;`),
      ...commands.map(
        ({ names }) =>
          `      ${names.map((name) => quoted(`${path} ${name}`)).join("|")}) place=${quoted(`${path} ${names[0]}`)} ;;`,
      ),
    ])
    .join("\n");
}

/** What may follow an option that takes a value. */
function values(places: readonly Place[]): string {
  return places
    .flatMap(({ path, options }) =>
      options
        .filter(({ takesValue }) => takesValue)
        .map(
          ({ names, values: allowed }) =>
            `    ${names.map((name) => quoted(`${path} ${name}`)).join("|")}) ${allowed.length > 0 ? `words=${lines(allowed)}` : "files=1"} ;;`,
        ),
    )
    .join("\n");
}

const here = ({ commands, words, takesFiles }: Place): string =>
  `words=${lines([...commands.flatMap(({ names }) => names), ...words])}${takesFiles ? " files=1" : ""}`;

const at = (places: readonly Place[], then: (place: Place) => string): string =>
  places.map((place) => `          ${quoted(place.path)}) ${then(place)} ;;`).join("\n");

/** Names hold no quotes; descriptions are not part of it. */
const quoted = (text: string): string => `"${text}"`;
const lines = (texts: readonly string[]): string => `$'${texts.join("\\n")}'`;
