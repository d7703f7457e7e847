/** The reference: the main thread's side of worker_threads without a library. */

import { MessageChannel, type Transferable, Worker } from "node:worker_threads";
import type { Load, Task } from "./protocol.ts";
import { type Pending, settle } from "./raw-asks.ts";
import type { ToRaw } from "./raw-worker.ts";

export type RawWorker = Awaited<ReturnType<typeof startRaw>>;

/** Resolves when the worker has said its first message. */
export async function startRaw() {
  const worker = new Worker(new URL("./raw-worker.ts", import.meta.url));
  const pending: Pending = new Map();
  let lastId = 0;
  const ready = new Promise<unknown>((resolve) => pending.set(0, resolve));
  worker.on("message", (message: { id: number; body: unknown }) => settle(pending, message));
  const exited = new Promise<void>((resolve) => worker.on("exit", () => resolve()));
  await ready;

  const ask = (message: (id: number) => ToRaw, transfer: Transferable[] = []): Promise<unknown> => {
    const id = ++lastId;
    return new Promise((resolve) => {
      pending.set(id, resolve);
      worker.postMessage(message(id), transfer);
    });
  };
  return {
    tell: (body: Task): undefined => {
      worker.postMessage({ kind: "take", body } satisfies ToRaw);
    },
    echo: (body: Task) => ask((id) => ({ kind: "echo", id, body })),
    blob: (body: Uint8Array<ArrayBuffer>, isMoved: boolean) =>
      ask((id) => ({ kind: "blob", id, body, isMoved }), isMoved ? [body.buffer] : []),
    taken: () => ask((id) => ({ kind: "taken", id })),
    run: (body: Load) => ask((id) => ({ kind: "run", id, body })),
    die: () => worker.postMessage({ kind: "die" } satisfies ToRaw),
    exited,
    give: (message: ToRaw, transfer: Transferable[]) => worker.postMessage(message, transfer),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

/** Gives two workers a way to each other that does not pass through here. */
export function introduce(one: RawWorker, other: RawWorker): void {
  const { port1, port2 } = new MessageChannel();
  one.give({ kind: "peer", port: port1 }, [port1]);
  other.give({ kind: "peer", port: port2 }, [port2]);
}
