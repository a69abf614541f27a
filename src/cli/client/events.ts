/** One event of a stream of server-sent events. */
export interface StreamEvent {
  /** Default: `message`. */
  readonly event: string;
  readonly data: string;
}

/**
 * Reads server-sent events as they arrive (WHATWG HTML, 9.2.6). Comments, such as heartbeats, are passed over.
 * @param body ends when the server closes it; rejects when it is aborted
 */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  let event = "";
  let data: string[] = [];
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) yield { event: event || "message", data: data.join("\n") };
        event = "";
        data = [];
        continue;
      }
      const [, field, value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
      if (field === "data") data.push(value);
      else if (field === "event") event = value;
    }
  }
}
