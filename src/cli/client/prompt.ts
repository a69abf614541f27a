import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { CommandError, usageError } from "../command-error.ts";
import { write } from "../output.ts";

/** Where answers come from: a person at a terminal is asked, one after the other; else the lines of stdin are taken. */
export interface Prompt {
  readonly isTerminal: boolean;
  /** @param fallback what an empty answer means */
  ask(question: string, fallback?: string): Promise<string>;
  /** Without echo. */
  askSecret(question: string): Promise<string>;
  /** The next line of stdin, without taking it; undefined at its end, and on a terminal. */
  peek(): Promise<string | undefined>;
}

export function createPrompt(): Prompt {
  const isTerminal = process.stdin.isTTY === true;
  let lines: Promise<string[]> | undefined;
  const piped = (): Promise<string[]> => (lines ??= Bun.stdin.text().then((text) => text.split(/\r?\n/)));

  const ask = async (question: string, echo: boolean, fallback?: string): Promise<string> => {
    const answer = isTerminal ? await fromTerminal(question, echo) : ((await piped()).shift() ?? "");
    if (answer !== "") return answer;
    if (fallback !== undefined) return fallback;
    throw usageError(`${question.replace(/[\s:]+$/, "")} is missing${isTerminal ? "" : " on stdin"}.`);
  };
  return {
    isTerminal,
    ask: (question, fallback) => ask(question, true, fallback),
    askSecret: (question) => ask(question, false),
    peek: async () => (isTerminal ? undefined : (await piped())[0]),
  };
}

/** @throws CommandError after Ctrl-C or Ctrl-D */
function fromTerminal(question: string, echo: boolean): Promise<string> {
  // readline echoes what it reads to its output: there, it is kept from the terminal.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({
    input: process.stdin,
    output: echo ? process.stderr : silent,
    terminal: true,
  });
  // Asked only now, when Ctrl-C comes here and does not end the process.
  if (echo) reader.setPrompt(question);
  write("stderr", question);
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      write("stderr", "\n");
      reject(new CommandError("cancelled"));
    };
    reader.once("SIGINT", () => reader.close());
    reader.once("close", cancel);
    reader.once("line", (line) => {
      reader.off("close", cancel);
      reader.close();
      if (!echo) write("stderr", "\n");
      resolve(line);
    });
  });
}
