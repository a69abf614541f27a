import { dealWithLetter, RESOLUTIONS, type Resolution } from "../../../services/events/index.ts";
import { isUuid } from "../../../shared/ids.ts";
import { service, type SdkNamespace } from "../define.ts";
import { text, type Param } from "../params.ts";
import type { RunContext } from "../run-context.ts";
import { SdkError } from "../sdk-error.ts";

const letterId: Param<string> = {
  ...text("id"),
  read(value) {
    const id = text("id").read(value);
    if (isUuid(id)) return id;
    throw new SdkError("id must be that of a dead letter, as in ctx.event.dead_letter.dead_letter_id");
  },
};

const NAMES = RESOLUTIONS.map((name) => `"${name}"`).join(", ");

const resolution: Param<string> = {
  ...text("reason"),
  read(value) {
    const name = text("reason").read(value);
    if (RESOLUTIONS.some((known) => known === name)) return name;
    throw new SdkError(`reason must be one of ${NAMES}`);
  },
};

async function deal(run: RunContext, id: string, wish: "replay" | Resolution): Promise<undefined> {
  const { appId, scriptId, caller } = run;
  const outcome = await run.writeTogether((sql) =>
    dealWithLetter(sql, { appId, scriptId, ...caller }, id, wish),
  );
  if (outcome === null) return;
  if (outcome === "forbidden") {
    throw new SdkError(
      caller.userId === null
        ? "this needs the role app_admin in the app, and nobody is signed in"
        : "this needs the role app_admin in the app, and of an API key the scope app:admin",
    );
  }
  if (outcome === "unknown") throw new SdkError(`the app has no dead letter ${id}`);
  throw new SdkError(`the dead letter is resolved already: ${outcome}`);
}

const LETTER = "01980000-0000-7000-8000-000000000000";
const FORBIDDEN = "this needs the role app_admin in the app, and nobody is signed in";

export const deadLetters: SdkNamespace = {
  name: "dead_letters",
  doc:
    "Events that could not be delivered. Both functions need the role `app_admin` in the app: a run that a trigger started has " +
    "what whoever registered the trigger has by now, any other what whoever sent the request has; anonymous runs fail.",
  functions: [
    service({
      name: "replay",
      params: [letterId],
      returns: "()",
      doc:
        "Has an event delivered again, from the first attempt on; the dead letter is then resolved as `replayed`. What it causes " +
        "counts as deeper than this run, so that a handler which always replays comes to an end.",
      example: {
        source: [
          "// In a handler of dead letters.",
          'if "event" in ctx && ctx.event.source == "dead_letter" {',
          "  let letter = ctx.event.dead_letter;",
          '  if letter.last_error.contains("timeout") { dead_letters::replay(letter.dead_letter_id); }',
          "}",
        ].join("\n"),
        result: "()",
      },
      errors: [
        {
          source: 'dead_letters::replay("seven")',
          message:
            "dead_letters::replay: id must be that of a dead letter, as in ctx.event.dead_letter.dead_letter_id",
        },
        { source: `dead_letters::replay("${LETTER}")`, message: `dead_letters::replay: ${FORBIDDEN}` },
      ],
      call: (run, id) => deal(run, id, "replay"),
    }),
    service({
      name: "resolve",
      params: [letterId, resolution],
      returns: "()",
      doc: `Says that a dead letter has been dealt with, and how: ${NAMES}.`,
      example: {
        source: [
          "// In a handler of dead letters.",
          'if "event" in ctx && ctx.event.source == "dead_letter" {',
          '  dead_letters::resolve(ctx.event.dead_letter.dead_letter_id, "ignored");',
          "}",
        ].join("\n"),
        result: "()",
      },
      errors: [
        {
          source: `dead_letters::resolve("${LETTER}", "done")`,
          message: `dead_letters::resolve: reason must be one of ${NAMES}`,
        },
        {
          source: `dead_letters::resolve("${LETTER}", "ignored")`,
          message: `dead_letters::resolve: ${FORBIDDEN}`,
        },
      ],
      call: (run, id, reason) => deal(run, id, reason as Resolution),
    }),
  ],
};
