/** What the head of a script says about it, in `//!` comments. */
export interface ScriptNotes {
  readonly summary: string | null;
  readonly description: string | null;
  readonly body: Note | null;
  /** By status. */
  readonly responses: Readonly<Record<string, Note>>;
}

/** A text, or an example as JSON. */
export interface Note {
  readonly text: string | null;
  readonly example?: unknown;
}

/**
 * Reads the comments at the head of a script: `//! @summary …`, `//! @body …`, `//! @response [STATUS] …`, and `//! …` for
 * the description. Body and response take a JSON value, which is an example, or a text. Other comments and blank lines may
 * stand between them; the first line of code ends the head.
 */
export function scriptNotes(source: string): ScriptNotes {
  let summary: string | null = null;
  let body: Note | null = null;
  const description: string[] = [];
  const responses: Record<string, Note> = {};
  for (const line of source.split(/\r?\n/)) {
    const text = line.trim();
    if (text !== "" && !text.startsWith("//")) break;
    if (!text.startsWith("//!")) continue;
    const [, tag, rest = ""] = /^\/\/!\s*(?:@(\w+)\s*)?(.*)$/.exec(text) ?? [];
    if (tag === "summary") summary = rest;
    else if (tag === "body") body = note(rest);
    else if (tag === "response") {
      const [, status = "200", said = ""] = /^(?:([1-5]\d\d)\b)?\s*(.*)$/.exec(rest) ?? [];
      responses[status] = note(said);
    } else if (tag === undefined) description.push(rest);
  }
  return { summary, description: description.length > 0 ? description.join("\n") : null, body, responses };
}

function note(text: string): Note {
  try {
    return { text: null, example: JSON.parse(text) as unknown };
  } catch {
    return { text: text === "" ? null : text };
  }
}
