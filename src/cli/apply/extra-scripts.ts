import { path, type Api } from "../client/api.ts";
import type { Manifest } from "./manifest.ts";
import type { Remote, RemoteScript } from "./remote.ts";

/** Scripts of the server that the manifest does not have. */
export const extraScripts = ({ scripts }: Manifest, remote: Remote | null): readonly RemoteScript[] =>
  (remote?.scripts ?? []).filter(({ name }) => !scripts.some((script) => script.name === name));

/** Scripts in an order in which they can be deleted: what is imported cannot go before what imports it. */
export async function importersFirst(api: Api, scripts: readonly RemoteScript[]): Promise<RemoteScript[]> {
  const modules = scripts.filter(({ kind }) => kind === "module");
  const ordered = scripts.filter(({ kind }) => kind !== "module");
  let left = await Promise.all(
    modules.map(async (script) => {
      const imports = await api.get<readonly { readonly name: string }[]>(
        path`/scripts/${script.id}/imports`,
      );
      return { script, imports: imports.map(({ name }) => name) };
    }),
  );
  while (left.length > 0) {
    const imported = new Set(left.flatMap(({ imports }) => imports));
    const free = left.filter(({ script }) => !imported.has(script.name));
    // The server lets no circle come about; if there is one all the same, it says so.
    const next = free.length === 0 ? left : free;
    ordered.push(...next.map(({ script }) => script));
    left = left.filter((module) => !next.includes(module));
  }
  return ordered;
}
