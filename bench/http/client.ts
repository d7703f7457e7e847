/** The client outside the process: wrk where there is one, else a client of ours on raw sockets, in a process of its own. */

import { run, runFile } from "./processes.ts";

/** What either client prints as its last line. */
export type Counted = {
  readonly answers: number;
  readonly seconds: number;
  /** Answers that were no 2xx. */
  readonly refused: number;
  /** Connections that could not be made, failed or fell silent. */
  readonly broken: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

export const clients = ["wrk", "sockets"] as const;
export type Client = (typeof clients)[number];

export const connections = 32;

export async function clientAtHand(): Promise<Client> {
  try {
    // It tells its version with exit code 1, which is no less an answer.
    await runFile("wrk", ["--version"]);
    return "wrk";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "sockets" : "wrk";
  }
}

/** Sends the requests of a file (loads.ts) to `url` for so long, over 32 connections kept alive, each with one request under way. */
export async function drive(client: Client, url: string, file: string, seconds: number): Promise<Counted> {
  const printed =
    client === "wrk"
      ? await runFile("wrk", [
          "-t1",
          `-c${connections}`,
          `-d${seconds}s`,
          "--timeout",
          "10s",
          "-s",
          "bench/http/wrk.lua",
          url,
          "--",
          file,
        ])
      : await run("bun", "bench/http/sockets.ts", [url, file, String(seconds), String(connections)]);
  return JSON.parse(printed.trimEnd().split("\n").at(-1) ?? "") as Counted;
}
