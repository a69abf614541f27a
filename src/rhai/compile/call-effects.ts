import type { CallEffects } from "./locals.ts";
import type { ScriptWriter } from "./script-writer.ts";

const SPECIAL: ReadonlySet<string> = new Set(["call", "curry", "is_shared", "type_of"]);

/** Whether the language itself provides methods of this name. */
export const isSpecial = (name: string): boolean => SPECIAL.has(name);

/** What the functions of a script and the natives may do to variables that they are applied to. */
export function callEffects(script: ScriptWriter): CallEffects {
  const { natives } = script;
  return {
    call: ({ name, args }) => (natives.group(name, args.length)?.mutates === true ? "change" : "none"),
    method: (name, count) => {
      const group = natives.group(name, count + 1);
      if (group === null || isSpecial(name) || script.hasMethod(name, count)) return "unknown";
      return group.mutates ? "change" : "none";
    },
  };
}
