/**
 * Documents that know where they may break, after Wadler's "A prettier printer" with the usual remeasuring behind
 * forced breaks. `hard` tells whether a break is forced somewhere within.
 */
export type Doc =
  /** May hold line ends of its own (a long string, a block comment). */
  | { readonly kind: "text"; readonly text: string; readonly hard: boolean }
  /** `flat` on one line, else a line end; `deeper` indents what follows on the new line by one more. */
  | { readonly kind: "line"; readonly flat: "" | " "; readonly deeper: boolean; readonly hard: false }
  | { readonly kind: "break"; readonly blank: boolean; readonly deeper: boolean; readonly hard: true }
  | { readonly kind: "row"; readonly parts: readonly Doc[]; readonly hard: boolean }
  | { readonly kind: "indent"; readonly part: Doc; readonly hard: boolean }
  /** All its lines break or none; `forced` breaks them in any case. */
  | { readonly kind: "group"; readonly part: Doc; readonly forced: boolean; readonly hard: boolean }
  /** `part` if its beginning `head` fits into the line without a break, else `other`. */
  | {
      readonly kind: "choice";
      readonly head: Doc;
      readonly part: Doc;
      readonly other: Doc;
      readonly hard: true;
    };

export const text = (value: string): Doc => ({ kind: "text", text: value, hard: value.includes("\n") });
export const line = (flat: "" | " ", deeper = false): Doc => ({ kind: "line", flat, deeper, hard: false });
export const hardBreak = (blank = false, deeper = false): Doc => ({
  kind: "break",
  blank,
  deeper,
  hard: true,
});
export const row = (parts: readonly Doc[]): Doc => ({
  kind: "row",
  parts,
  hard: parts.some((part) => part.hard),
});
export const indent = (part: Doc): Doc => ({ kind: "indent", part, hard: part.hard });
export const group = (part: Doc, forced: boolean): Doc => ({
  kind: "group",
  part,
  forced,
  hard: forced || part.hard,
});

export const choice = (head: Doc, part: Doc, other: Doc): Doc => ({
  kind: "choice",
  head,
  part,
  other,
  hard: true,
});

interface Command {
  readonly depth: number;
  readonly flat: boolean;
  readonly doc: Doc;
}

/** Columns that a tab stands for when lines are measured. */
const TAB = 4;

/** Lays a document out within `width` columns where its breaks allow it; indentation is in tabs. */
export const render = (doc: Doc, width: number): string => {
  const output: string[] = [];
  const stack: Command[] = [{ depth: 0, flat: false, doc }];
  let column = 0;
  let remeasure = false;

  const newLine = (depth: number, blank: boolean): void => {
    output.push(blank ? "\n\n" : "\n", "\t".repeat(depth));
    column = depth * TAB;
  };

  for (let command = stack.pop(); command !== undefined; command = stack.pop()) {
    const { depth, flat, doc: current } = command;
    switch (current.kind) {
      case "text": {
        output.push(current.text);
        const end = current.text.lastIndexOf("\n");
        column = end < 0 ? column + current.text.length : current.text.length - end - 1;
        break;
      }
      case "line":
        if (flat) {
          output.push(current.flat);
          column += current.flat.length;
        } else {
          newLine(current.deeper ? depth + 1 : depth, false);
        }
        break;
      case "break":
        newLine(current.deeper ? depth + 1 : depth, current.blank);
        remeasure = true;
        break;
      case "row":
        for (const part of current.parts.toReversed()) stack.push({ depth, flat, doc: part });
        break;
      case "indent":
        stack.push({ depth: depth + 1, flat, doc: current.part });
        break;
      case "choice": {
        const fitting = fits({ depth, flat: true, doc: current.head }, [], width - column);
        stack.push({ depth, flat: false, doc: fitting ? current.part : current.other });
        break;
      }
      case "group": {
        const inFlat = { depth, flat: true, doc: current.part };
        const staysFlat = flat && !remeasure && !current.forced;
        if (staysFlat) {
          stack.push(inFlat);
        } else {
          remeasure = false;
          const fitting = !current.forced && fits(inFlat, stack, width - column);
          stack.push(fitting ? inFlat : { depth, flat: false, doc: current.part });
        }
      }
    }
  }
  return output.join("");
};

/** Does a document fit into what is left of the line, with everything behind it up to the next line end? */
const fits = (first: Command, rest: readonly Command[], room: number): boolean => {
  const stack: Command[] = [first];
  let left = room;
  let next = rest.length;
  while (left >= 0) {
    let command = stack.pop();
    if (command === undefined) {
      if (next === 0) return true;
      command = rest[--next];
      if (command === undefined) return true;
    }
    const { depth, flat, doc } = command;
    switch (doc.kind) {
      case "text": {
        const end = doc.text.indexOf("\n");
        if (end >= 0) return left >= end;
        left -= doc.text.length;
        break;
      }
      case "line":
        if (!flat) return true;
        left -= doc.flat.length;
        break;
      case "break":
        return true;
      case "row":
        for (const part of doc.parts.toReversed()) stack.push({ depth, flat, doc: part });
        break;
      case "indent":
        stack.push({ depth, flat, doc: doc.part });
        break;
      case "choice":
        stack.push({ depth, flat: false, doc: doc.part });
        break;
      case "group":
        stack.push({ depth, flat: flat && !doc.forced, doc: doc.part });
    }
  }
  return false;
};
