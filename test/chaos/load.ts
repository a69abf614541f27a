import { newId } from "../../src/shared/ids.ts";
import type { Chance } from "./chance.ts";
import { json, MOODS, WAYS, type Mood, type Way } from "./workload.ts";

/** One request that asked for events. */
export interface Sent {
  readonly id: string;
  readonly way: Way;
  readonly mood: Mood;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What the load generator knows: what it asked for, and what it was told. */
export interface Load {
  /** Answered with success: the events must run, or be dead letters. */
  readonly accepted: Map<string, Sent>;
  /** Without an answer, or with an error: they may or may not have happened. */
  readonly unknown: Map<string, Sent>;
  /** Answers by status; `lost` are those that never came. */
  readonly answers: Map<string, number>;
  /** Lets what is under way end. */
  stop(): Promise<void>;
}

/** Somebody who waits for an answer gives up, when a crash has taken the connection and nobody noticed. */
const PATIENCE_MS = 8000;
const PAUSE_MS = [10, 60] as const;
/** What a client waits before it tries a keyed request again. */
const AGAIN_MS = 200;

/** Sends events from several clients at once until it is stopped. */
export function startLoad(url: string, clients: number, chance: Chance): Load {
  const accepted = new Map<string, Sent>();
  const unknown = new Map<string, Sent>();
  const answers = new Map<string, number>();
  let over = false;

  async function post(sent: Sent, headers: Readonly<Record<string, string>>): Promise<string> {
    const init = json("POST", { id: sent.id, mood: sent.mood });
    const path = sent.way;
    let status: string;
    try {
      const answer = await fetch(`${url}/${path}`, {
        ...init,
        headers: { "Content-Type": "application/json", ...headers },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      await answer.text();
      status = String(answer.status);
    } catch {
      status = "lost";
    }
    answers.set(status, (answers.get(status) ?? 0) + 1);
    return status;
  }

  async function send(): Promise<void> {
    const way = WAYS[Math.floor(chance.next() * WAYS.length)] ?? "kv";
    const sent: Sent = { id: newId(), way, mood: chance.pick(MOODS), at: Date.now() };
    // A request with a key may be sent again until it is answered, and must not be carried out twice.
    const isKeyed = way === "async" && chance.next() < 0.5;
    const headers: Record<string, string> = isKeyed ? { "Idempotency-Key": sent.id } : {};
    unknown.set(sent.id, sent);
    for (;;) {
      const status = await post(sent, headers);
      if (status === "200" || status === "202") {
        unknown.delete(sent.id);
        accepted.set(sent.id, sent);
        return;
      }
      if (!isKeyed || over) return;
      await Bun.sleep(AGAIN_MS);
    }
  }

  async function client(): Promise<void> {
    while (!over) {
      await send();
      await Bun.sleep(chance.between(...PAUSE_MS));
    }
  }
  const running = Array.from({ length: clients }, () => client());
  return {
    accepted,
    unknown,
    answers,
    async stop() {
      over = true;
      await Promise.all(running);
    },
  };
}
