import type { Operation } from "../operations.ts";
import type { JsonSchema } from "../schema.ts";

/** A command that calls an operation, for a shell that has PICLOUD_URL and PICLOUD_TOKEN. */
export function curlExample(
  method: string,
  path: string,
  operation: Operation,
  resolve: (ref: string) => JsonSchema,
): string {
  const query = (operation.parameters ?? [])
    .filter((parameter) => parameter.in === "query" && parameter.required === true)
    .map(({ name }) => `${name}=${name.toUpperCase()}`);
  const url = `$PICLOUD_URL${path.replaceAll(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())}`;
  const parts = [
    `curl ${method === "GET" ? "" : `-X ${method} `}"${url}${query.length > 0 ? `?${query.join("&")}` : ""}"`,
    ...(operation.security.length > 0 ? ['-H "Authorization: Bearer $PICLOUD_TOKEN"'] : []),
  ];
  const content = operation.requestBody?.content ?? {};
  const json = content["application/json"]?.schema;
  if (content["text/plain"] !== undefined) parts.push("--data-binary @FILE");
  else if (json !== undefined)
    parts.push(
      '-H "Content-Type: application/json"',
      `-d '${JSON.stringify(sample(json, "value", resolve))}'`,
    );
  return parts.join(" \\\n  ");
}

/** A value that fits a schema as far as its type goes: required members, or all when none is. */
export function sample(schema: JsonSchema, name: string, resolve: (ref: string) => JsonSchema): unknown {
  const { $ref, anyOf, type } = schema;
  if (typeof $ref === "string") return sample(resolve($ref), name, resolve);
  if (Array.isArray(anyOf)) return sample(anyOf[0] as JsonSchema, name, resolve);
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  if ("const" in schema) return schema["const"];
  switch (Array.isArray(type) ? type[0] : type) {
    case "object": {
      const required = (schema["required"] ?? []) as readonly string[];
      const members = Object.entries((schema["properties"] ?? {}) as Record<string, JsonSchema>);
      const shown =
        required.length > 0 ? members.filter(([key]) => required.includes(key)) : members.slice(0, 1);
      return Object.fromEntries(shown.map(([key, member]) => [key, sample(member, key, resolve)]));
    }
    case "array":
      return [sample((schema["items"] ?? {}) as JsonSchema, name, resolve)];
    case "integer":
    case "number":
      return schema["minimum"] ?? 1;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return name;
  }
}
