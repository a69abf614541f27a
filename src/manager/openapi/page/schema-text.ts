import type { JsonSchema } from "../schema.ts";
// By another name: the formatter would rewrap what it takes for HTML, and here each space counts.
import { html as exact, Markup } from "./markup.ts";

/** A schema as a type that people read: `{ id: string, role: "viewer" | "editor" }`. Named schemas are links. */
export function schemaText(schema: JsonSchema, indent = ""): Markup {
  const { $ref, anyOf, type } = schema;
  if (typeof $ref === "string") {
    const name = $ref.slice($ref.lastIndexOf("/") + 1);
    return exact`<a href="#schema-${name}">${name}</a>`;
  }
  if (Array.isArray(anyOf))
    return either((anyOf as JsonSchema[]).map((option) => schemaText(option, indent)));
  if (Array.isArray(schema["enum"]))
    return exact`${schema["enum"].map((value) => JSON.stringify(value)).join(" | ")}`;
  if ("const" in schema) return exact`${JSON.stringify(schema["const"])}`;
  if (Array.isArray(type)) return either(type.map((one) => schemaText({ ...schema, type: one }, indent)));
  if (type === "array") return exact`${schemaText((schema["items"] ?? {}) as JsonSchema, indent)}[]`;
  if (type === "object") return objectText(schema, indent);
  return exact`${typeof type === "string" ? type : "anything"}`;
}

function objectText(schema: JsonSchema, indent: string): Markup {
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, JsonSchema>);
  const required = (schema["required"] ?? []) as readonly string[];
  const more = schema["additionalProperties"];
  const inner = `${indent}  `;
  const lines = properties.map(([name, member]) => {
    const note = constraints(member);
    const mark = required.includes(name) ? "" : "?";
    const comment = note === "" ? null : exact` <i>// ${note}</i>`;
    return exact`${inner}<b>${name}</b>${mark}: ${schemaText(member, inner)}${comment}\n`;
  });
  if (typeof more === "object" && more !== null)
    lines.push(exact`${inner}[name]: ${schemaText(more as JsonSchema, inner)}\n`);
  return lines.length === 0 ? exact`object` : exact`{\n${lines}${indent}}`;
}

/** What a value must be beyond its type, in words. */
export function constraints(schema: JsonSchema): string {
  if (typeof schema["description"] === "string") return schema["description"];
  const { minimum, maximum, minLength, maxLength, pattern } = schema;
  const notes = [
    minimum !== undefined && `at least ${String(minimum)}`,
    maximum !== undefined && `at most ${String(maximum)}`,
    minLength !== undefined && `at least ${String(minLength)} characters`,
    maxLength !== undefined && `at most ${String(maxLength)} characters`,
    typeof pattern === "string" && pattern,
  ];
  return notes.filter((note) => note !== false).join(", ");
}

const either = (options: readonly Markup[]): Markup =>
  new Markup(options.map(({ text }) => text).join(" | "));
