import type { Queryable } from "../../database/client.ts";
import type { EffectsUnit, ScriptWrite } from "../../services/catalog/index.ts";
import {
  affectedTriggers,
  writingScripts,
  type AffectedTrigger,
  type WritingScript,
} from "./loop-queries.ts";

/** Loops that are told of at once. */
const MOST_LOOPS = 3;

/** A write that a script may do, itself or through a module. */
interface Reached extends ScriptWrite {
  /** The module whose function does it; null: the script's own. */
  readonly module: string | null;
}

interface Node {
  readonly script: WritingScript;
  readonly writes: readonly Reached[];
  /** Names of modules that it imports, directly or not. */
  readonly modules: ReadonlySet<string>;
}

/** What was saved, and may have closed a loop. */
export type Changed =
  | { readonly scriptId: string }
  /** A module, by its name. */
  | { readonly module: string }
  | { readonly triggerId: string };

/**
 * Loops of triggers that are plain from the texts of scripts: what a trigger calls writes what calls it again, directly or
 * through other scripts. Only what is enabled counts, and only versions that are live. A text may promise what no run ever
 * does, so these are warnings.
 * @returns a sentence for each loop that goes through what was changed
 */
export async function triggerLoops(sql: Queryable, appId: string, changed: Changed): Promise<string[]> {
  const scripts = await writingScripts(sql, appId);
  const modules = new Map(
    scripts.filter(({ kind }) => kind === "module").map((one) => [one.name, one] as const),
  );
  const nodes = new Map(
    scripts
      .filter(({ kind }) => kind !== "module")
      .map((script) => [script.id, { script, ...reachOf(script, modules) }] as const),
  );
  const starts = [...nodes.values()].filter(({ script, modules: used, writes }) => {
    if (writes.length === 0) return false;
    if ("scriptId" in changed) return script.id === changed.scriptId;
    if ("module" in changed) return used.has(changed.module);
    return script.triggerIds.includes(changed.triggerId);
  });
  if (starts.length === 0) return [];
  const affected = await affectedTriggers(
    sql,
    appId,
    [...nodes.values()].flatMap(({ writes }) => writes),
  );
  const through = "triggerId" in changed ? changed.triggerId : null;
  const loops = new Map<string, string>();
  for (const start of starts) {
    if (loops.size === MOST_LOOPS) break;
    const loop = shortestLoop(start, nodes, affected, through);
    // The same one, begun elsewhere, is told once.
    if (loop !== null)
      loops.set(
        loop
          .map(({ from }) => from.id)
          .toSorted()
          .join(),
        sentence(loop),
      );
  }
  return [...loops.values()];
}

/** What a script may write, by what it calls from its body on. */
function reachOf(
  script: WritingScript,
  modules: ReadonlyMap<string, WritingScript>,
): Pick<Node, "writes" | "modules"> {
  const writes: Reached[] = [];
  const used = new Set<string>();
  const seen = new Set<string>();
  const waiting: { readonly module: string | null; readonly name: string }[] = [{ module: null, name: "" }];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const { module, name } = at;
    const key = `${module ?? ""}::${name}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (module !== null) used.add(module);
    const unit = unitOf(module === null ? script : modules.get(module), name);
    if (unit === undefined) continue;
    for (const write of unit.writes) writes.push({ ...write, module });
    for (const call of unit.calls) {
      const end = call.lastIndexOf("::");
      if (end === -1) waiting.push({ module, name: call });
      else waiting.push({ module: call.slice(0, end), name: call.slice(end + 2) });
    }
  }
  return { writes, modules: used };
}

const unitOf = (script: WritingScript | undefined, name: string): EffectsUnit | undefined =>
  script?.effects.find((unit) => unit.name === name);

interface Step {
  readonly from: WritingScript;
  readonly write: Reached;
}

/** The scripts from the first around to itself, each with the write that leads on. @param through this trigger at the end */
function shortestLoop(
  start: Node,
  nodes: ReadonlyMap<string, Node>,
  affected: readonly AffectedTrigger[],
  through: string | null,
): Step[] | null {
  const cameBy = new Map<string, Step>();
  const waiting = [start];
  for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
    for (const write of node.writes) {
      for (const trigger of affected) {
        if (!isCalled(trigger, write)) continue;
        const step = { from: node.script, write };
        const { script_id: to } = trigger;
        if (to === start.script.id && (through === null || trigger.id === through))
          return pathTo(step, start.script.id, cameBy);
        const next = nodes.get(to);
        if (next === undefined || to === start.script.id || cameBy.has(to)) continue;
        cameBy.set(to, step);
        waiting.push(next);
      }
    }
  }
  return null;
}

const isCalled = (trigger: AffectedTrigger, { service, name, ops }: ScriptWrite): boolean =>
  trigger.kind === service &&
  trigger.name === name &&
  (trigger.ops.length === 0 || ops.some((op) => trigger.ops.includes(op)));

function pathTo(last: Step, startId: string, cameBy: ReadonlyMap<string, Step>): Step[] {
  const path = [last];
  for (let id = last.from.id; id !== startId;) {
    const before = cameBy.get(id);
    if (before === undefined) break;
    path.unshift(before);
    id = before.from.id;
  }
  return path;
}

function sentence(loop: readonly Step[]): string {
  const steps = loop.map(({ from, write }) => {
    const by = write.module === null ? "" : ` (by its module "${write.module}")`;
    const does = write.service === "pubsub" ? "publishes" : `writes ${write.service}`;
    return `script "${from.name}"${by} ${does} "${write.name}" → trigger → `;
  });
  return `A loop of triggers, unless a run decides otherwise: ${steps.join("")}script "${loop[0]?.from.name ?? ""}".`;
}
