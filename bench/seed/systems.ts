/** What is measured side by side: the system on four servers, the same embedded, and the FastAPI version on the same servers. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { allServers, placeOn, type ServerName } from "../../deploy/services/place.ts";
import { startFile } from "../http/processes.ts";
import { startTracker } from "../http/tracker.ts";
import { seenLog, untilNoneWaits } from "../stack/log.ts";
import { connectKafka, partitions } from "../stack/servers.ts";
import { startStack } from "../stack/trackers.ts";

export type System = {
  readonly url: string;
  /** Resolves when all that was written can be listed and nothing goes on in the background. */
  settled(): Promise<void>;
  end(): Promise<void>;
};

type Urls = Readonly<Record<ServerName, string>>;

const here = fileURLToPath(new URL(".", import.meta.url));

export async function startServers(urls: Urls, folder: string): Promise<System> {
  const { env, remove } = await placeOn(urls, allServers, { prefix: "bench", partitions });
  const log = await seenLog(env);
  const stack = await startStack("bun", folder, env, false);
  return {
    url: stack.url,
    settled: log.settled,
    async end() {
      await Promise.all([stack.end(), log.close()]);
      await remove();
    },
  };
}

export async function startEmbedded(folder: string): Promise<System> {
  const tracker = await startTracker("bun", join(folder, "embedded"));
  return { url: tracker.url, settled: async () => {}, end: tracker.end };
}

/** In two processes as the system it stands for: one for HTTP, one that writes to MongoDB. */
export async function startFastApi(urls: Urls, python: string): Promise<System> {
  const { env, remove } = await placeOn(urls, allServers, { prefix: "bench", partitions });
  const start = (name: string) =>
    startFile(python, ["-m", `app.${name}`], { ...env, PYTHONPATH: here, PYTHONDONTWRITEBYTECODE: "1" });
  const admin = connectKafka(env).admin();
  await admin.connect();
  const consumer = await start("consumer");
  const http = await start("main");
  return {
    url: http.greeting,
    settled: () => untilNoneWaits(admin, `${env.TT_NAMESPACE}.consumers`, `${env.TT_NAMESPACE}.tasks`),
    async end() {
      await Promise.all([http.end(), consumer.end(), admin.disconnect()]);
      await remove();
    },
  };
}
