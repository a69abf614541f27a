const utf8 = new TextEncoder();

/**
 * An answer of newline-delimited JSON, made as the client reads it.
 * @param nextLines the next ones, of which there is at least one; null: there are no more
 */
export function ndjson(nextLines: () => Promise<readonly string[] | null>): Response {
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const lines = await nextLines();
        if (lines === null) controller.close();
        else controller.enqueue(utf8.encode(`${lines.join("\n")}\n`));
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, { headers: { "Content-Type": "application/x-ndjson" } });
}
