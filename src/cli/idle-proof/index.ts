import { loadConfig, type Flags } from "../../config.ts";
import { runningTarget } from "../../database/embedded/index.ts";
import { urlTarget } from "../../database/target.ts";
import { jsonText } from "../client/visible.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { write } from "../output.ts";
import { findingsTable, isMet } from "./budget.ts";
import { measure, untilAtRest, type Subject } from "./measure.ts";
import { postgresOf, secondsIn, serverOn } from "./server.ts";

export interface IdleProofFlags extends Pick<Flags, "dataDir" | "databaseUrl"> {
  readonly json?: boolean;
  /** False: measures at once. */
  readonly wait?: boolean;
}

/** Autovacuum looks at a few databases in turn, minutes apart. */
const AGAIN = 2;

/**
 * `picloud idle-proof`: what this machine's server costs while nothing happens.
 * @param duration like `20s`, `1m` or `60`
 * @returns 0, or 1 when something is above its budget
 * @throws CommandError with exit code 2 when nothing can be measured
 */
export async function idleProof(duration: string, flags: IdleProofFlags): Promise<number> {
  const seconds = secondsIn(duration);
  const config = loadConfig(flags);
  const server = serverOn(config.dataDir);
  const subject = await subjectOf(server, config);
  const say = (text: string): void => write("stderr", `${text}\n`);
  const restless = flags.wait === false ? [] : await untilAtRest(subject, say);
  if (restless.length > 0) say(`It does not come to rest: ${restless.join(", ")}`);
  say(`Measuring process ${server} for ${seconds} s …`);
  let measured = await measure(subject, seconds);
  for (let again = 0; again < AGAIN && measured.tidied && !measured.findings.every(isMet); again++) {
    say("PostgreSQL has tidied up after earlier changes meanwhile (autovacuum). Measuring again …");
    measured = await measure(subject, seconds);
  }
  const { findings, notes } = measured;
  const ok = findings.every(isMet);
  if (flags.json === true) {
    const rows = findings.map((finding) => ({ ...finding, ok: isMet(finding) }));
    write("stdout", `${jsonText({ ok, seconds, pid: server, findings: rows, notes }, 2)}\n`);
  } else {
    write("stdout", findingsTable(findings));
    const above = findings.filter((finding) => !isMet(finding)).map(({ name }) => name);
    const remarks = notes.map((note) => `Note: ${note}.\n`).join("");
    write("stdout", `${remarks}${ok ? "Idle." : `Not idle: ${above.join(", ")}.`}\n`);
  }
  return ok ? EXIT.ok : EXIT.failure;
}

async function subjectOf(
  server: number,
  { dataDir, databaseUrl }: { readonly dataDir: string; readonly databaseUrl: string | null },
): Promise<Subject> {
  if (postgresOf(server).length > 0) return { server, target: await runningTarget(dataDir), embedded: true };
  if (databaseUrl !== null) return { server, target: urlTarget(databaseUrl), embedded: false };
  throw new CommandError(
    `Process ${server} has its database elsewhere. Name it as the server has it (DATABASE_URL or --database-url).`,
    EXIT.usage,
  );
}
