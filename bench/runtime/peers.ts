/** Libraries that do the same, as named peers. */

import { Worker } from "node:worker_threads";
import { wrap } from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { Piscina } from "piscina";
import type { Task } from "./protocol.ts";

export type Peer = { readonly echo: (task: Task) => Promise<Task>; readonly stop: () => Promise<void> };

export function startPiscina(): Peer {
  const workers = new Piscina({
    filename: new URL("./peer-task.ts", import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: 64,
  });
  return { echo: (task) => workers.run(task) as Promise<Task>, stop: () => workers.destroy() };
}

export function startComlink(): Peer {
  const worker = new Worker(new URL("./peer-comlink.ts", import.meta.url));
  const echo = wrap<(task: Task) => Task>(nodeEndpoint(worker));
  return {
    echo,
    stop: async () => {
      await worker.terminate();
    },
  };
}
