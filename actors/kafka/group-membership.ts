/** Stays in a consumer group: joins, and joins again whenever that has come to an end, for ever. */
import { keepTrying, settles } from "../waiting.ts";

export type Joined = { stop(): Promise<void> };

export type GroupMembershipOptions<J extends Joined> = {
  /** Rejects, leaving nothing behind, when Kafka does not let it in time. Calls `lost` when the membership has ended by itself later. */
  readonly join: (lost: (error: Error) => void) => Promise<J>;
  readonly until: AbortSignal;
  /** A try has failed, or a membership was lost; counted from 1 in each outage. */
  readonly failed: (error: Error, failures: number) => void;
  readonly joined: () => void;
};

export type GroupMembership<J extends Joined> = {
  /** Undefined while it is not in the group. */
  now(): J | undefined;
  stop(): Promise<void>;
};

const pauses = { fromMs: 100, toMs: 3_000 };
const stopMs = 3_500;

export function groupMembership<J extends Joined>({
  join,
  until,
  failed,
  joined,
}: GroupMembershipOptions<J>): GroupMembership<J> {
  let current: J | undefined;
  const stopped = new Promise<undefined>((resolve) => {
    until.addEventListener("abort", () => resolve(undefined), { once: true });
  });

  async function stay(): Promise<void> {
    for (let failures = 0; !until.aborted; ) {
      let lose: (error: Error) => void = () => undefined;
      const lost = new Promise<Error>((resolve) => {
        lose = resolve;
      });
      current = await keepTrying(() => join(lose), { ...pauses, until, failed: (error) => failed(error, ++failures) });
      failures = 0;
      joined();
      const error = await Promise.race([lost, stopped]);
      if (error === undefined) return;
      failed(error, ++failures);
      const left = current;
      current = undefined;
      await left.stop();
    }
  }
  const staying = stay().catch(() => undefined);

  return {
    now: () => current,
    async stop() {
      await settles(staying, stopMs);
      await current?.stop();
    },
  };
}

/** What a program does wrong is not mended by another try. */
export function isOurFault(error: unknown): boolean {
  const { name, cause } = error as { name?: string; cause?: unknown };
  if (["TypeError", "ReferenceError", "RangeError", "SyntaxError"].includes(name ?? "")) return true;
  return cause instanceof Error && isOurFault(cause);
}
