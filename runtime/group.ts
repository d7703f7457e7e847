import type { Clock } from "./clock.ts";
import type { Incarnation } from "./incarnation.ts";
import type { SharedTable } from "./shared-table.ts";

/** One actor of a group: where it is, and how it is run. */
export type Member = {
  readonly slot: number;
  readonly shutdownMs: number;
  /** Runs it. */
  run(on: MemberEvents): Incarnation;
};

export type MemberEvents = {
  /** It is over, with its failure if it failed. */
  ended(failure: Error | undefined): void;
  /** It wants to end normally, and so do all. */
  leave(): void;
};

export type GroupHost = {
  /** The member takes messages from now on. */
  open(slot: number): void;
  /** The member takes no more. */
  close(slot: number): void;
  /** A member has started. */
  progress(): void;
  /** Called once, when all are over. */
  ended(failure: Error | undefined): void;
  nowMs(): number;
};

type Running = { readonly member: Member; readonly incarnation: Incarnation; readonly over: Promise<void> };

/**
 * The actors that share one thread and its fate: started from left to right, each when the one before is ready, and stopped from right to left. What ends
 * one of them ends all.
 */
export function runGroup(members: readonly Member[], host: GroupHost): Incarnation {
  const running: Running[] = [];
  let isEnding = false;
  let failure: Error | undefined;

  const run = (member: Member): Running => {
    let isOver: () => void = () => undefined;
    const over = new Promise<void>((resolve) => {
      isOver = resolve;
    });
    const incarnation = member.run({
      ended: (why) => {
        isOver();
        if (why !== undefined) void fail(why);
      },
      leave: () => void stop(Number.POSITIVE_INFINITY),
    });
    const each = { member, incarnation, over };
    running.push(each);
    return each;
  };

  /** From right to left, each within its own time and all within what is given. */
  const stopEach = async (each: readonly Running[], timeoutMs: number): Promise<void> => {
    const endMs = host.nowMs() + timeoutMs;
    for (const { member, incarnation, over } of each.toReversed()) {
      host.close(member.slot);
      void incarnation.stop(Math.max(1, Math.min(member.shutdownMs, endMs - host.nowMs())));
      await over;
    }
  };

  const stop = async (timeoutMs: number): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    await stopEach(running, timeoutMs);
    host.ended(failure);
  };

  /** All at once, so that those who wait for any of them hear of it. */
  const fail = async (reason: Error): Promise<void> => {
    failure ??= reason;
    for (const { incarnation } of running.toReversed()) void incarnation.fail(reason);
    if (isEnding) return;
    isEnding = true;
    await Promise.all(running.map(({ over }) => over));
    host.ended(failure);
  };

  const start = async (): Promise<void> => {
    for (const member of members) {
      const before = [...running];
      const { incarnation } = run(member);
      try {
        await incarnation.started;
      } catch (thrown) {
        // Another end may be under way, which then waits for those before as well.
        isEnding = true;
        await stopEach(before, Number.POSITIVE_INFINITY);
        throw thrown;
      }
      if (isEnding) return;
      host.open(member.slot);
      host.progress();
    }
  };
  return { started: start(), stop, fail };
}

/** What a group needs of shared memory, where its own slot shows the life of its thread and takes no messages. */
export function groupHost(options: {
  readonly thread: number;
  readonly members: readonly { readonly slot: number }[];
  readonly sharedTable: SharedTable;
  readonly clock: Clock;
  readonly ended: (failure: Error | undefined) => void;
}): GroupHost {
  const { thread, members, sharedTable, clock, ended } = options;
  return {
    open: (slot) => void sharedTable.open(slot),
    close: (slot) => sharedTable.close(slot),
    progress: () => {
      // As patient as the most patient of them: a thread that hangs does so for all.
      const hangTimeoutMs = Math.max(...members.map(({ slot }) => sharedTable.hangTimeoutMs(slot)));
      sharedTable.describe(thread, { limit: 1, bytesMax: 0, full: "wait" }, hangTimeoutMs);
      sharedTable.advance(thread);
    },
    ended,
    nowMs: () => clock.monotonicMs(),
  };
}
