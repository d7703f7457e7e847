/** What runs in every worker thread: loads one actor's module, lives its life, says goodbye. */

import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import type { LogLevel } from "./actor.ts";
import { wallClock } from "./clock.ts";
import type { ToMain, ToWorker, WorkerData } from "./control.ts";
import { asError, packError, unpackError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import { threadNumber } from "./given-time.ts";
import { behaviourOf, type Life, live } from "./life.ts";
import { BEAT_MS, Pulse } from "./pulse.ts";

if (parentPort === null) throw new Error("Cannot run by itself: this module is the entry of a worker thread");
const main = parentPort;
const given = workerData as WorkerData;
const say = (message: ToMain): void => main.postMessage(message);
const pulse = Pulse.attach(given.pulse, given.directory.length);
const log = (level: LogLevel, event: string, fields: Record<string, unknown> = {}): void => {
  try {
    say(["log", level, event, fields]);
  } catch {
    say(["log", level, event, { unprintable: true }]);
  }
};

const exchange = new Exchange({
  slot: given.slot,
  directory: given.directory,
  pulse,
  clock: wallClock,
  connect: (slot, generation) => {
    if (slot === 0) exchange.attach(0, generation, (text) => main.postMessage(text));
    else if (given.directory[slot]?.here === true)
      exchange.attach(slot, generation, (text) => main.postMessage(`${slot}${text}`));
    else say(["link", slot, generation]);
  },
  log,
});
exchange.attach(0, 0, (text) => main.postMessage(text));
exchange.subscriptions = given.subscriptions;

const threadOfSystem = threadNumber();
let life: Life | undefined;
let over = false;

function goodbye(last: ToMain): void {
  if (over) return;
  over = true;
  exchange.flush();
  exchange.reportDeadLetters();
  say(last);
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
  exchange.flush();
  say(["bye", packError(new Error(`Cannot go on: ${given.name} ended its own thread`))]);
});

main.on("message", (message: string | ToWorker) => {
  if (typeof message === "string") {
    exchange.receive(0, 0, given.slot, message);
    return;
  }
  switch (message[0]) {
    case "go":
      exchange.subscriptions = message[2];
      begin(message[1]);
      break;
    case "port": {
      const [, slot, generation, port] = message;
      port.on("message", (text: string) => exchange.receive(slot, generation, given.slot, text));
      exchange.attach(
        slot,
        generation,
        (text) => port.postMessage(text),
        () => port.close(),
      );
      break;
    }
    case "down":
      exchange.down(message[1], message[2], message[3] === undefined ? undefined : unpackError(message[3]));
      break;
    case "subscriptions":
      exchange.subscriptions = message[1];
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
  setInterval(() => pulse.beat(given.slot), BEAT_MS);
  pulse.setThread(given.slot, threadOfSystem);
  pulse.advance(given.slot);
  loading
    .then((behaviour) => {
      pulse.advance(given.slot);
      life = live({
        behaviour,
        slot: given.slot,
        generation,
        index: given.index,
        data: given.data,
        shutdownMs: given.shutdownMs,
        exchange,
        pulse,
        shared: given.shared,
        clock: wallClock,
        epochMs: given.epochMs,
        log,
        random: Math.random,
        subscribe: (topic, kind, lossy) => say(["subscribe", topic, kind, lossy]),
        ended: (failure) => goodbye(["bye", failure === undefined ? undefined : packError(failure)]),
      });
      return life.started;
    })
    .then(
      () => {
        if (!over) say(["ready"]);
      },
      (thrown: unknown) => goodbye(["start-failed", packError(thrown)]),
    );
}

if (given.generation !== undefined) begin(given.generation);
else {
  loading.then(
    () => say(["loaded"]),
    (thrown: unknown) => goodbye(["start-failed", packError(thrown)]),
  );
}
