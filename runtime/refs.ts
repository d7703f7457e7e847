import type { Actor, Protocol, Ref, SendOptions } from "./actor.ts";
import type { Asks } from "./asks.ts";
import type { Clock } from "./clock.ts";
import type { Connection, Outgoing } from "./connection.ts";
import type { Connections } from "./connections.ts";
import { currentEnvelope } from "./context.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { Envelope } from "./envelope.ts";
import { cancelled, expired, selfAsk, unhandled } from "./errors.ts";
import type { Outbox } from "./outbox.ts";
import { partitionOf } from "./partition.ts";
import { NOWHERE, type Target, type Targets } from "./targets.ts";

/** An ask may take this long unless told. */
const ASK_MS = 5_000;
/** Characters of a key at most. */
const KEY_LENGTH_MAX = 256;

export type RefsOptions = {
  readonly clock: Clock;
  readonly targets: Targets;
  readonly asks: Asks<Connection>;
  readonly connections: Connections;
  readonly outbox: Outbox;
  readonly deadLetters: DeadLetters;
};

/** Who sends by a ref. */
export type Sender = {
  /** Its name, unless it is the thread's own. */
  readonly from?: string | undefined;
  /** Where it lives, and its key if it is keyed: an ask to oneself would wait for its own answer. */
  readonly slot?: number;
  readonly key?: string | undefined;
};

type Untyped = {
  tell(kind: string, body: unknown, options?: SendOptions): undefined | Promise<void>;
  ask(kind: string, body: unknown, options?: SendOptions): Promise<unknown>;
};

/** Makes what an actor is sent to by: of each message its place, its deadline and its trace. */
export class Refs {
  readonly #options: RefsOptions;

  constructor(options: RefsOptions) {
    this.#options = options;
  }

  to<P extends Protocol>(actor: Actor<P>, sender: Sender): Ref<P> {
    const target = this.#options.targets.known(actor, "refer to");
    /** By kind whether it may be shed; free of what every object has, as a kind may have any name. */
    const lossy: Record<string, boolean | undefined> = Object.create(null);
    for (const [kind, message] of Object.entries(actor.accepts as Protocol)) lossy[kind] = message.lossy;
    const plain = this.#make(actor.name, target, lossy, sender, undefined);
    const at = (key: string) => {
      const fault = faultOfKey(key);
      if (fault !== undefined) throw new RangeError(`Cannot refer to ${actor.name} at ${fault}`);
      return { ...this.#make(actor.name, target, lossy, sender, key), at };
    };
    return { ...plain, at } as unknown as Ref<P>;
  }

  #make(
    name: string,
    target: Target,
    lossy: Readonly<Record<string, boolean | undefined>>,
    sender: Sender,
    fixedKey: string | undefined,
  ): Untyped {
    const { clock, asks, outbox, connections, deadLetters } = this.#options;
    const { pool, isKeyed } = target;
    const { from } = sender;
    const fixedMember = fixedKey === undefined || pool === undefined ? 0 : partitionOf(fixedKey, target.slots.length);
    const slotOf = (key: string | undefined): number => {
      const { slots } = target;
      if (pool === undefined) return slots[0] ?? NOWHERE;
      if (key === undefined) return pool.leastDeep();
      return slots[key === fixedKey ? fixedMember : partitionOf(key, slots.length)] as number;
    };
    /** What is wrong with sending with this key, if anything is. */
    const faultOf = (key: string | undefined): string | undefined => {
      if (key === undefined) return isKeyed ? "no key: it has one actor for each; use ref.at(key)" : undefined;
      return key === fixedKey ? undefined : faultOfKey(key);
    };
    return {
      tell: (kind, body, options) => {
        const key = options?.key ?? fixedKey;
        const isLossy = lossy[kind];
        const fault = faultOf(key);
        if (isLossy === undefined || fault !== undefined) {
          outbox.countDead(slotOf(undefined));
          deadLetters.add(name, kind, fault === undefined ? "unknown-kind" : key === undefined ? "no-key" : "bad-key");
          return undefined;
        }
        const message: Outgoing = {
          kind,
          body,
          id: 0,
          deadlineMs: undefined,
          traceparent: options?.traceparent ?? contextOf(options)?.traceparent,
          from,
          key: isKeyed ? key : undefined,
          isMoved: options?.transfer === true,
        };
        if (pool !== undefined && key === undefined && outbox.queues(pool)) return outbox.sendToPool(pool, message);
        const slot = slotOf(key);
        if (slot === NOWHERE) deadLetters.add(name, kind, "not-running");
        return slot === NOWHERE ? undefined : outbox.send(slot, message, isLossy);
      },
      ask: (kind, body, options) => {
        const nowMs = clock.now();
        const key = options?.key ?? fixedKey;
        const context = contextOf(options);
        const signal = options?.signal;
        const timeoutMs = options?.timeoutMs ?? ASK_MS;
        if (!Number.isFinite(timeoutMs))
          return refusal(
            new RangeError(`Cannot ask ${name} to ${kind}: timeoutMs is a finite number, not ${timeoutMs}`),
          );
        const fault = faultOf(key);
        if (fault !== undefined) return refusal(new RangeError(`Cannot ask ${name} to ${kind} at ${fault}`));
        let deadlineMs = nowMs + timeoutMs;
        if (context?.deadlineMs !== undefined && context.deadlineMs < deadlineMs) deadlineMs = context.deadlineMs;
        if (deadlineMs <= nowMs) return refusal(expired(name, kind));
        if (signal?.aborted) return refusal(cancelled(name, kind, signal.reason));
        const isPooled = pool !== undefined && key === undefined && lossy[kind] !== undefined && outbox.queues(pool);
        let slot = NOWHERE;
        let connection: Connection | undefined;
        if (!isPooled) {
          slot = slotOf(key);
          if (lossy[kind] === undefined) {
            outbox.countDead(slot);
            return refusal(unhandled(name, kind));
          }
          if (slot === sender.slot && (!isKeyed || key === sender.key)) return refusal(selfAsk(name, kind));
          connection = slot === NOWHERE ? undefined : connections.to(slot);
          if (connection === undefined) {
            // Not among the asks: their timer would keep a process up that has nothing left to do.
            outbox.countDead(slot);
            return refusal(outbox.gone(slot, name));
          }
        }
        return new Promise((resolve, reject) => {
          const id = asks.nextId();
          const within = context instanceof Envelope ? context : undefined;
          const message: Outgoing = {
            kind,
            body,
            id,
            deadlineMs,
            traceparent: options?.traceparent ?? context?.traceparent,
            from,
            key: isKeyed ? key : undefined,
            isMoved: options?.transfer === true,
          };
          asks.add(id, { resolve, reject, connection, deadlineMs, late: () => expired(name, kind), within });
          if (signal !== undefined) outbox.giveUpWith(signal, id, name, kind);
          if (isPooled && pool !== undefined) void outbox.sendToPool(pool, message);
          else void outbox.send(slot, message, false);
        });
      },
    };
  }
}

const refusal = (error: Error): Promise<never> => Promise.reject(error);

/** The message that what is sent is a part of. */
const contextOf = (options: SendOptions | undefined): NonNullable<SendOptions["context"]> | undefined =>
  options?.context === undefined ? currentEnvelope() : (options.context ?? undefined);

function faultOfKey(key: string): string | undefined {
  if (typeof key !== "string" || key === "") return `${JSON.stringify(key)}: a key is text that is not empty`;
  if (key.length > KEY_LENGTH_MAX)
    return `a key of ${key.length} characters: ${KEY_LENGTH_MAX} at most; use a shorter one, or its hash`;
  return undefined;
}
