/** What makes the signal of a message: the cell whose handler has it. */
export type SignalSource = { signalOf(envelope: Envelope): AbortSignal };

/** A message in a mailbox. It is its handler's `Context` too: no second object per message. */
export class Envelope {
  readonly kind: string;
  readonly body: unknown;
  /** What the sender knows an ask by; 0 for a tell. */
  readonly id: number;
  readonly deadlineMs: number | undefined;
  readonly traceparent: string | undefined;
  readonly from: string;
  /** Of a keyed actor. */
  readonly key: string | undefined;
  /** Where the answer goes: the host's own business. */
  readonly origin: unknown;
  /** Came by the control lane: never counted against the mailbox. */
  readonly control: boolean;
  /** What it takes of a mailbox that is bounded in bytes; 0 where there is no such bound. */
  readonly bodyBytes: number;
  /** Set while its handler is under way. */
  source: SignalSource | undefined = undefined;
  /** Whether it is over, in whatever way: it no longer bounds what is asked. */
  isSettled = false;
  /** Its asker is gone (it is handled, as it was accepted) or has given it up (it is not). */
  asker: "there" | "gone" | "gave-up" = "there";

  /** Positional, as there is one for each message. */
  constructor(
    kind: string,
    body: unknown,
    id: number,
    deadlineMs: number | undefined,
    traceparent: string | undefined,
    from: string,
    key: string | undefined,
    origin: unknown,
    control: boolean,
    bodyBytes = 0,
  ) {
    this.kind = kind;
    this.body = body;
    this.id = id;
    this.deadlineMs = deadlineMs;
    this.traceparent = traceparent;
    this.from = from;
    this.key = key;
    this.origin = origin;
    this.control = control;
    this.bodyBytes = bodyBytes;
  }

  get signal(): AbortSignal {
    return this.source?.signalOf(this) ?? new AbortController().signal;
  }
}

/** How a message left the mailbox. `failed` was handled and threw; `dead` was never handled, or its actor ended half-way. */
export type Disposition = "handled" | "failed" | "expired" | "dead";
