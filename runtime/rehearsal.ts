import { actor, ask, type Behaviour, behave, type Protocol } from "./actor.ts";
import { wallClock } from "./clock.ts";
import { runIncarnation } from "./incarnation.ts";
import { Router } from "./router.ts";
import { SharedTable } from "./shared-table.ts";

const rehearsal = actor("rehearsal", { echo: ask<number, number>() });
const behaviour = behave(rehearsal, { start: () => null, on: { echo: (_state, value) => value } });

/**
 * Runs the code that takes a first message and answers it, apart from everything else in the thread, and gives the last answers: code that has never run
 * takes milliseconds, which a spare has while it waits, and a caller that waits for a restart has not.
 */
export async function rehearse(): Promise<readonly number[]> {
  const directory = [
    { name: "main", index: 0, isMain: true },
    { name: rehearsal.name, index: 0, isMain: false },
  ];
  const sharedTable = SharedTable.create(directory.length);
  const common = { directory, sharedTable, clock: wallClock, connect: () => undefined, log: () => undefined };
  const sender = new Router({ ...common, slot: 0 });
  const receiver = new Router({ ...common, slot: 1 });
  sharedTable.begin(0, 0);
  sharedTable.begin(1, 1);
  sharedTable.describe(0, { limit: 100, bytesMax: 0, full: "wait" }, 0);
  sharedTable.open(0);
  sender.attach(1, 1, (frame) => receiver.receive(0, 0, 1, frame));
  receiver.attach(0, 0, (frame) => sender.receive(1, 1, 0, frame));
  const incarnation = runIncarnation({
    behaviour: behaviour as unknown as Behaviour<Protocol, unknown, unknown>,
    slot: 1,
    thread: 1,
    generation: 1,
    index: 0,
    args: null,
    shutdownMs: 1,
    keyed: null,
    router: receiver,
    sharedTable,
    shared: new SharedArrayBuffer(0),
    clock: wallClock,
    epochMs: 0,
    log: () => undefined,
    random: Math.random,
    subscribe: () => undefined,
    ended: () => undefined,
  });
  await incarnation.started;
  sharedTable.open(1);
  let answers: readonly number[] = [];
  for (let round = 0; round < 3; round++)
    answers = await Promise.all([1, 2, 3].map((value) => sender.ref(rehearsal).ask("echo", value)));
  await incarnation.stop(1);
  return answers;
}
