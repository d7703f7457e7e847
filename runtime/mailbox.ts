import type { Behaviour, Protocol } from "./actor.ts";

/** What a full mailbox does; see `Behaviour.mailbox`. */
export type WhenFull = "wait" | "reject" | "shed";
export type Mailbox = {
  readonly limit: number;
  /** 0 for no bound. */
  readonly bytesMax: number;
  readonly full: WhenFull;
};

const LIMIT_DEFAULT = 1024;
/** The depth is kept in 20 bits of shared memory. */
export const LIMIT_MAX = 1_000_000;
/** The bound in bytes is a word of shared memory. */
const BYTES_MAX = 0x7fffffff;

export function mailboxOf<P extends Protocol, S, D>(behaviour: Behaviour<P, S, D>): Mailbox {
  const limit = behaviour.mailbox?.limit ?? LIMIT_DEFAULT;
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
    throw new RangeError(
      `Cannot bound the mailbox of ${behaviour.actor.name}: a limit is 1 to ${LIMIT_MAX}, not ${limit}`,
    );
  }
  const { bytesMax } = behaviour.mailbox ?? {};
  if (bytesMax !== undefined && (!Number.isInteger(bytesMax) || bytesMax < 1 || bytesMax > BYTES_MAX)) {
    throw new RangeError(
      `Cannot bound the mailbox of ${behaviour.actor.name}: bytesMax is 1 to ${BYTES_MAX}, not ${bytesMax}`,
    );
  }
  return { limit, bytesMax: bytesMax ?? 0, full: behaviour.mailbox?.full ?? "wait" };
}

/** What becomes of a message that finds the mailbox full. */
export function whenFull(policy: WhenFull, lossy: boolean): "wait" | "reject" | "shed" {
  if (policy === "shed") return lossy ? "shed" : "wait";
  return policy;
}
