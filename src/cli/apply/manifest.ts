import { Type, type Static, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { readText } from "../source-files.ts";

/** The name of the file that says what an app consists of. */
export const MANIFEST = "picloud.toml";

const strict = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

const Positive = Type.Integer({ minimum: 1, description: "a whole number above 0" });
const Text = Type.String({ description: "a text" });
const Flag = Type.Boolean({ description: "true or false" });
const oneOf = <T extends string>(...values: readonly T[]) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description: values.map((value) => `"${value}"`).join(" or ") },
  );

const RouteEntry = strict({
  path: Text,
  path_kind: Type.Optional(oneOf("exact", "prefix", "param")),
  method: Type.Optional(Text),
  host: Type.Optional(Text),
  dispatch: Type.Optional(oneOf("sync", "async")),
  enabled: Type.Optional(Flag),
  idempotent: Type.Optional(Flag),
  rate_limit: Type.Optional(
    Type.Union([strict({ requests: Positive, window_seconds: Positive, key: Text }), Type.Literal(false)], {
      description: "{ requests, window_seconds, key }, or false",
    }),
  ),
});
export type RouteEntry = Static<typeof RouteEntry>;

const ScriptEntry = strict({
  /** Default: `NAME.rhai`. Beside the manifest. */
  file: Type.Optional(Text),
  kind: Type.Optional(oneOf("endpoint", "module")),
  description: Type.Optional(Text),
  timeout_seconds: Type.Optional(Positive),
  memory_limit_mb: Type.Optional(Positive),
  sandbox: Type.Optional(
    Type.Record(Type.String(), Positive, { description: "limits such as { max_operations = 1_000_000 }" }),
  ),
  direct_execute: Type.Optional(oneOf("members", "public")),
  routes: Type.Optional(
    Type.Array(Type.Union([Text, RouteEntry], { description: "a path, or a table with a path" }), {
      description: "paths, or tables with a path",
    }),
  ),
});
export type ScriptEntry = Static<typeof ScriptEntry>;

/** What else it has depends on its kind, and is the server's to check: the fields of `POST /apps/{app}/triggers/{kind}`. */
const TriggerEntry = Type.Intersect([
  Type.Object({ script: Text, kind: Text }),
  Type.Record(Type.String(), Type.Unknown()),
]);
export type TriggerEntry = Static<typeof TriggerEntry>;

const ManifestFile = strict({
  app: strict({
    slug: Text,
    name: Type.Optional(Text),
    description: Type.Optional(Text),
    /** Hosts that it claims. */
    domains: Type.Optional(Type.Array(Text, { description: "a list of hosts" })),
  }),
  settings: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: "a table" })),
  scripts: Type.Optional(Type.Record(Type.String(), ScriptEntry, { description: "tables [scripts.NAME]" })),
  triggers: Type.Optional(Type.Array(TriggerEntry, { description: "tables [[triggers]]" })),
});

/** What `picloud.toml` says, with the sources that it names. */
export interface Manifest {
  readonly app: Static<typeof ManifestFile>["app"];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly scripts: readonly ManifestScript[];
  /** Null: it says nothing about them. */
  readonly triggers: readonly TriggerEntry[] | null;
}

export interface ManifestScript extends Omit<ScriptEntry, "file" | "routes"> {
  readonly name: string;
  /** As messages name it. */
  readonly file: string;
  readonly source: string;
  readonly routes: readonly RouteEntry[];
}

/**
 * Reads a manifest and everything that it names.
 * @param folder that has a `picloud.toml`
 * @throws CommandError that names the place of whatever is wrong
 */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, MANIFEST);
  if (!existsSync(path)) {
    throw new CommandError(
      `There is no ${MANIFEST} in ${resolve(folder)}; it says what the app consists of.`,
      EXIT.usage,
    );
  }
  const content = await parsed(path);
  for (const { path: place, schema, message } of Value.Errors(ManifestFile, content)) {
    throw new CommandError(`${path}: ${nameOf(place)} ${fault(message, schema)}.`, EXIT.refused);
  }
  const { app, settings = {}, scripts = {}, triggers } = content as Static<typeof ManifestFile>;
  return {
    app,
    settings,
    triggers: triggers ?? null,
    scripts: await Promise.all(
      Object.entries(scripts).map(async ([name, { file = `${name}.rhai`, routes = [], ...entry }]) => ({
        ...entry,
        name,
        file: join(folder, file),
        source: await readText(join(folder, file)),
        routes: routes.map((route) => (typeof route === "string" ? { path: route } : route)),
      })),
    ),
  };
}

async function parsed(path: string): Promise<unknown> {
  const text = await readText(path);
  try {
    return Bun.TOML.parse(text);
  } catch (cause) {
    throw new CommandError(await placeOfFault(path, cause), EXIT.refused, cause);
  }
}

/** `Bun.TOML.parse` does not tell where the fault is; loading the file as a module does. */
async function placeOfFault(path: string, cause: unknown): Promise<string> {
  try {
    await import(resolve(path), { with: { type: "toml" } });
  } catch (error) {
    if (error instanceof BuildMessage && error.position !== null) {
      const { line, column, lineText } = error.position;
      return `${path}:${line}:${column}: ${error.message}\n${lineText}\n${" ".repeat(column - 1)}^`;
    }
  }
  return `${path}: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/** `/scripts/hello/routes/0/path` as `scripts.hello.routes[0].path`. */
const nameOf = (place: string): string =>
  place
    .slice(1)
    .split("/")
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .reduce(
      (name, part) => (/^\d+$/.test(part) ? `${name}[${part}]` : name === "" ? part : `${name}.${part}`),
      "",
    );

function fault(message: string, schema: TSchema): string {
  if (/unexpected property/i.test(message)) return "is not a setting that exists";
  if (/required property/i.test(message)) return "is missing";
  return `must be ${schema.description ?? "a table"}`;
}
