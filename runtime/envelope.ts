/** A message in a mailbox. It is its handler's `Context` too: no second object per message. */
export type Envelope = {
  readonly kind: string;
  readonly body: unknown;
  readonly deadlineMs: number | undefined;
  readonly traceparent: string | undefined;
  readonly from: string;
  /** What the sender knows an ask by; 0 for a tell. */
  readonly id: number;
  /** Where the answer goes: the host's own business. */
  readonly origin: unknown;
  /** Came by the control lane: never counted against the mailbox. */
  readonly control: boolean;
};

/** How a message left the mailbox. `failed` was handled and threw; `dead` was never handled, or its actor ended half-way. */
export type Disposition = "handled" | "failed" | "expired" | "dead";
