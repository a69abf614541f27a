import type { FunctionEntry, SdkReference } from "../../../shared/sdk-reference.ts";

/** The page that authors of scripts read. */
export function referenceMarkdown({ sdk_version, ctx, namespaces, rules }: SdkReference): string {
  return `${[
    "# What scripts can use",
    `SDK ${sdk_version}. This page is made from the declarations that the functions are bound by; every example on it is run by a ` +
      "test. `picloud sdk` prints it, `picloud sdk --json` the same as data.",
    ...rules.flatMap(({ title, text }) => [`## ${title}`, text]),
    "## `ctx`",
    [
      "| member | type | what |",
      "|---|---|---|",
      ...ctx.map(({ name, type, doc }) => `| \`${name}\` | ${type} | ${doc} |`),
    ].join("\n"),
    "## Namespaces",
    namespaces.map(({ name }) => `[${name}](#${name})`).join(" · "),
    ...namespaces.flatMap(({ name, doc, functions }) => [
      `### \`${name}\``,
      doc,
      ...functions.flatMap(shown),
    ]),
  ].join("\n\n")}\n`;
}

function shown({ signature, doc, service, params, example, errors }: FunctionEntry): string[] {
  const options = params.flatMap((param) => param.options);
  return [
    `#### \`${signature}\``,
    `${doc}${service ? " *Service.*" : ""}`,
    ...(options.length === 0
      ? []
      : [`Options: ${options.map(({ name, type }) => `\`${name}\` (${type})`).join(", ")}.`]),
    `\`\`\`rhai\n${example.source}\n// ${example.result}\n\`\`\``,
    ...(errors.length === 0
      ? []
      : [`Throws, for example:\n\n${errors.map((text) => `* ${code(text)}`).join("\n")}`]),
  ];
}

/** A span of code, whatever it holds. */
const code = (text: string): string => (text.includes("`") ? `\`\` ${text} \`\`` : `\`${text}\``);
