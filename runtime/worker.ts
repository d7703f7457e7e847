/** What runs in every worker thread: loads one actor's module, lives its life, says goodbye. */

import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import type { LogLevel } from "./actor.ts";
import { wallClock } from "./clock.ts";
import type { ToMain, ToWorker, WorkerData } from "./control.ts";
import { asError, packError, unpackError } from "./errors.ts";
import { threadNumber } from "./given-time.ts";
import { behaviourOf, type Incarnation, runIncarnation } from "./incarnation.ts";
import { Router } from "./router.ts";
import { HEARTBEAT_MS, SharedTable } from "./shared-table.ts";

if (parentPort === null) throw new Error("Cannot run by itself: this module is the entry of a worker thread");
const main = parentPort;
const given = workerData as WorkerData;
const send = (message: ToMain): void => main.postMessage(message);
const sharedTable = SharedTable.attach(given.sharedTable, given.directory.length);
const log = (level: LogLevel, event: string, fields: Record<string, unknown> = {}): void => {
  try {
    send(["log", level, event, fields]);
  } catch {
    send(["log", level, event, { unprintable: true }]);
  }
};

const router = new Router({
  slot: given.slot,
  directory: given.directory,
  sharedTable,
  clock: wallClock,
  connect: (slot, generation) => {
    if (slot === 0) router.attach(0, generation, (text) => main.postMessage(text));
    else if (router.isMain(slot)) router.attach(slot, generation, (text) => main.postMessage(`${slot}${text}`));
    else send(["link", slot, generation]);
  },
  log,
});
router.attach(0, 0, (text) => main.postMessage(text));
router.subscriptions = given.subscriptions;

const threadOfSystem = threadNumber();
let life: Incarnation | undefined;
let over = false;

function goodbye(last: ToMain): void {
  if (over) return;
  over = true;
  router.flush();
  router.reportDeadLetters();
  send(last);
  process.exit(0);
}

function uncaught(thrown: unknown): void {
  const error = asError(thrown);
  if (life === undefined) goodbye(["start-failed", packError(error)]);
  else void life.fail(error);
}

process.on("uncaughtException", uncaught);
process.on("unhandledRejection", uncaught);
// An actor that ends its own thread is heard of before the thread is gone, which takes milliseconds.
process.on("exit", () => {
  if (over) return;
  over = true;
  router.flush();
  send(["bye", packError(new Error(`Cannot go on: ${given.name} ended its own thread`))]);
});

main.on("message", (message: string | ToWorker) => {
  if (typeof message === "string") {
    router.receive(0, 0, given.slot, message);
    return;
  }
  switch (message[0]) {
    case "go":
      router.subscriptions = message[2];
      message[3].forEach((entry, slot) => {
        if (slot > 0 && given.directory[slot]?.name !== entry.name) router.place(slot, entry);
      });
      begin(message[1]);
      break;
    case "port": {
      const [, slot, generation, port] = message;
      port.on("message", (text: string) => router.receive(slot, generation, given.slot, text));
      router.attach(
        slot,
        generation,
        (text) => port.postMessage(text),
        () => port.close(),
      );
      break;
    }
    case "down":
      router.down(message[1], message[2], message[3] === undefined ? undefined : unpackError(message[3]));
      break;
    case "subscriptions":
      router.subscriptions = message[1];
      break;
    case "place":
      router.place(message[1], message[2]);
      break;
    case "stop":
      if (life === undefined) goodbye(["bye", undefined]);
      else void life.stop(message[1]);
      break;
  }
});

const loading = import(given.module).then((module) => behaviourOf(module, given.name));

function begin(generation: number): void {
  // Not before: a spare that waits shares the slot, and must not look like a sign of life of the actor whose place it may take.
  setInterval(() => sharedTable.heartbeat(given.slot), HEARTBEAT_MS);
  sharedTable.setThread(given.slot, threadOfSystem);
  sharedTable.advance(given.slot);
  loading
    .then((behaviour) => {
      sharedTable.advance(given.slot);
      life = runIncarnation({
        behaviour,
        slot: given.slot,
        generation,
        index: given.index,
        args: given.args,
        shutdownMs: given.shutdownMs,
        keyed: given.keyed,
        router,
        sharedTable,
        shared: given.shared,
        clock: wallClock,
        epochMs: given.epochMs,
        log,
        random: Math.random,
        subscribe: (topic, kind, lossy) => send(["subscribe", topic, kind, lossy]),
        ended: (failure) => goodbye(["bye", failure === undefined ? undefined : packError(failure)]),
      });
      return life.started;
    })
    .then(
      () => {
        if (!over) send(["ready"]);
      },
      (thrown: unknown) => goodbye(["start-failed", packError(thrown)]),
    );
}

if (given.generation !== undefined) begin(given.generation);
else {
  loading.then(
    () => send(["loaded"]),
    (thrown: unknown) => goodbye(["start-failed", packError(thrown)]),
  );
}
