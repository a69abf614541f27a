import type { FunctionWriter } from "./function-writer.ts";

/**
 * The outermost loops of a script's body become functions of their own. The body runs once per run, and the engine has
 * no profile of what was run once: compiled together with a hot loop, each run would leave the fast code there and
 * make the loop begin anew in the slow. A loop's function holds nothing but code that it has seen often.
 */

const BEGIN = "/*loop*/";
const END = "/*end of loop*/";

/** Emits what `write` does as a loop that may become a function. */
export function asOutermostLoop(f: FunctionWriter, write: () => void): void {
  // What a loop assigned is lost when it fails, which only a handler around it could see.
  if (!f.isMain || f.dynamic || f.tries > 0 || f.loops.length > 0) return write();
  f.emit(BEGIN);
  write();
  f.emit(END);
}

/** The code of a script's body, of meters filled in, with its loops taken out; and the functions that they became. */
export function outlineLoops(f: FunctionWriter, code: string): { body: string; functions: string[] } {
  const pieces = piecesOf(code);
  const locals = new Set(f.locals);
  const uses = pieces.map(({ text }) => namesIn(text).filter((name) => locals.has(name)));
  /** In how many pieces each local is used. */
  const spread = new Map<string, number>();
  for (const name of uses.flat()) spread.set(name, (spread.get(name) ?? 0) + 1);
  const functions: string[] = [];
  const body = pieces.map(({ isLoop, text }, at) => {
    if (!isLoop || /\b(?:return|await)\b/.test(withoutStrings(text))) return text;
    const names = uses[at] ?? [];
    const shared = names.filter((name) => spread.get(name) !== 1);
    const own = names.filter((name) => spread.get(name) === 1);
    for (const name of own) locals.delete(name);
    const js = `l${f.script.nextId()}`;
    const args = ["R", "T", ...shared].join(", ");
    // Whatever the loop may have assigned is handed back.
    const results = `[${shared.join(", ")}]`;
    functions.push(`function ${js}(${args}) {\n${declaration(own)}${text}\nreturn ${results};\n}`);
    return shared.length === 0 ? `${js}(${args});` : `${results} = ${js}(${args});`;
  });
  return {
    body: declaration([...locals]) + body.filter((text) => text !== "").join("\n"),
    functions,
  };
}

interface Piece {
  readonly isLoop: boolean;
  readonly text: string;
}

/** The code with its outermost loops apart. A mark is a line of its own, which no text of a script can be. */
function piecesOf(code: string): Piece[] {
  const pieces: { isLoop: boolean; lines: string[] }[] = [{ isLoop: false, lines: [] }];
  let depth = 0;
  for (const line of code.split("\n")) {
    if (line === BEGIN || line === END) {
      // A loop in the condition of another one is a part of it.
      if (line === BEGIN ? depth++ === 0 : --depth === 0) pieces.push({ isLoop: depth > 0, lines: [] });
    } else pieces.at(-1)?.lines.push(line);
  }
  return pieces.map(({ isLoop, lines }) => ({ isLoop, text: lines.join("\n").trim() }));
}

const declaration = (names: readonly string[]): string =>
  names.length === 0 ? "" : `let ${names.join(", ")};\n`;

const namesIn = (text: string): string[] => [...new Set(withoutStrings(text).match(/\b\w+\b/g))];

const withoutStrings = (text: string): string => text.replaceAll(/"[^"\\]*(?:\\.[^"\\]*)*"/g, '""');
