/** The client outside the process: wrk where there is one, else a client of ours on raw sockets, in a process of its own. */

import { refuse } from "./options.ts";
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
  readonly longestMs: number;
};

const clients = ["wrk", "sockets"] as const;
export type Client = (typeof clients)[number];

const connections = 32;

/** The client of that name, or the one at hand. */
export async function clientNamed(name: string | undefined): Promise<Client> {
  if (name === undefined) return await clientAtHand();
  return clients.find((each) => each === name) ?? refuse(`--client is wrk or sockets, not ${name}`);
}

async function clientAtHand(): Promise<Client> {
  try {
    // It tells its version with exit code 1, which is no less an answer.
    await runFile("wrk", ["--version"]);
    return "wrk";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "sockets" : "wrk";
  }
}

export type Driver = {
  /** Sends the requests of the load's file (loads.ts) to `url`, over 32 connections kept alive, each with one request under way. */
  drive(what: string, url: string): Promise<Counted>;
  /** What no run may have: an answer that is no 2xx, a connection that failed. */
  readonly faults: string[];
};

export function driver(
  client: Client,
  file: string,
  seconds: number,
  /** The share of answers that may be no 2xx without being a fault. */
  { refusedShareMax = 0 }: { readonly refusedShareMax?: number } = {},
): Driver {
  const faults: string[] = [];
  const send = (url: string): Promise<string> =>
    client === "wrk"
      ? runFile("wrk", [
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
      : run("bun", "bench/http/sockets.ts", [url, file, String(seconds), String(connections)]);
  return {
    faults,
    async drive(what, url) {
      const counted = JSON.parse((await send(url)).trimEnd().split("\n").at(-1) ?? "") as Counted;
      const { answers, refused, broken } = counted;
      if (refused > answers * refusedShareMax || answers === 0) {
        const share = ((refused * 100) / answers).toFixed(2);
        faults.push(`${what}: ${refused} of ${answers} answers were no 2xx (${share} %)`);
      }
      if (broken > 0) faults.push(`${what}: ${broken} connections failed`);
      return counted;
    },
  };
}

/** Good answers a second. */
export function rateOf({ answers, refused, seconds }: Counted): number {
  return (answers - refused) / seconds;
}
