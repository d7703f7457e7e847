/** The ways in which the system may stand, each from nothing: in one process or several, on embedded stores or on servers. */

import { allServers, type ServerName } from "../../deploy/services/place.ts";
import type { Runtime } from "./runtimes.ts";
import { type System, start } from "./server.ts";
import { type Missing, service } from "./services.ts";

export { allServers, type Place, placeOn, type ServerName } from "../../deploy/services/place.ts";

export type Deployment = {
  /** Where clients find it: several where several serve tasks. */
  readonly urls: readonly [string, ...string[]];
  readonly processes: readonly System[];
  /** Ends all in order, those that are asked first last; their exit codes. */
  end(): Promise<(number | null)[]>;
};

/** All four servers as the tests' set has them. */
export async function servers(): Promise<Record<ServerName, string> | Missing> {
  const found: Partial<Record<ServerName, string>> = {};
  for (const each of await Promise.all(allServers.map(async (name) => ({ name, had: await service(name) })))) {
    if ("missing" in each.had) return each.had;
    found[each.name] = each.had.url;
  }
  return found as Record<ServerName, string>;
}

export async function oneProcess(runtime: Runtime, env: Readonly<Record<string, string>> = {}): Promise<Deployment> {
  const system = await start({ runtime, env });
  return { urls: [system.url], processes: [system], end: async () => [(await system.end("SIGTERM")).code] };
}

export type Counts = { readonly task: number; readonly consumer: number };

/** A process for each role, and two of those that may be several. */
export async function apart(
  runtime: Runtime,
  env: Readonly<Record<string, string>>,
  counts: Counts = { task: 2, consumer: 2 },
): Promise<Deployment> {
  const ofAuth = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("MONGO")));
  const auth = await start({ runtime, env: { ROLE: "auth", ...ofAuth } });
  const others = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("DATABASE")));
  const [consumers, tasks] = await Promise.all([
    many(counts.consumer, () => start({ runtime, env: { ROLE: "consumer", ...others } })),
    many(counts.task, () => start({ runtime, env: { ROLE: "task", AUTH_URL: auth.url, ...others } })),
  ]);
  const processes = [...tasks, ...consumers, auth];
  return {
    urls: tasks.map(({ url }) => url) as [string, ...string[]],
    processes,
    async end() {
      const codes: (number | null)[] = [];
      for (const each of processes) codes.push((await each.end("SIGTERM")).code);
      return codes;
    },
  };
}

async function many(count: number, one: () => Promise<System>): Promise<System[]> {
  return Promise.all(Array.from({ length: count }, one));
}
