/** The system on its four servers: all roles in one process, or a process for each. */

import { join } from "node:path";
import type { Runtime } from "../http/processes.ts";
import { startTracker } from "../http/tracker.ts";
import type { Env } from "./servers.ts";

export type Stack = { readonly url: string; end(): Promise<void> };

export async function startStack(runtime: Runtime, folder: string, env: Env, apart: boolean): Promise<Stack> {
  const one = (role: string, more: Env) => startTracker(runtime, join(folder, role), { ROLE: role, ...more });
  if (!apart) return await one("all", env);
  const { DATABASE_URL = "", ...others } = env;
  const { TT_NAMESPACE = "", REDIS_URL = "" } = env;
  const auth = await one("auth", { DATABASE_URL, REDIS_URL, TT_NAMESPACE });
  const [consumer, task] = await Promise.all([one("consumer", others), one("task", { AUTH_URL: auth.url, ...others })]);
  return {
    url: task.url,
    async end() {
      for (const each of [task, consumer, auth]) await each.end();
    },
  };
}
