/** What passes between the supervisor and its interpreter: events in, commands out. */

import type { ChildSpec } from "./supervisor-spec.ts";

/** How a child ended. `shutdown` is also the end of a supervisor that gave up, as in OTP: its own `failed` tells the two apart. */
export type Exit = {
  readonly why: "normal" | "shutdown" | "abnormal";
  readonly message?: string;
  readonly cause?: Error;
};

/** Which start of which child. */
export type Of = { readonly id: string; readonly generation: number };
export type Timer = "start" | "shutdown" | "restart";

export type Call<Start = unknown> =
  | { readonly name: "start_child"; readonly spec: ChildSpec<Start> }
  | { readonly name: "restart_child" | "terminate_child" | "delete_child"; readonly id: string };

export type Event<Start = unknown> =
  | { readonly kind: "start" }
  | { readonly kind: "stop" }
  /** From a parent out of patience: every child is killed at once. */
  | { readonly kind: "kill" }
  | ({ readonly kind: "ready" } & Of)
  /** A child ended; before `ready` it is a failed start. */
  | ({ readonly kind: "exited"; readonly exit: Exit } & Of)
  | ({ readonly kind: "timer"; readonly name: Timer } & Of)
  | { readonly kind: "call"; readonly to: string; readonly call: Call<Start> };

export type CallError =
  | "already_started"
  | "already_present"
  | "not_found"
  | "running"
  | "restarting"
  | "not_running"
  | "invalid_spec";
export type Result =
  | { readonly ok: true; readonly generation: number }
  | { readonly ok: false; readonly error: CallError | Exit; readonly faults?: readonly string[] };

export type Command<Start = unknown> =
  /** Answered by `ready` or `exited`. */
  | ({ readonly do: "start"; readonly start: Start } & Of)
  /** Both are answered by `exited`, and a child that ended before is answered by the `exited` under way. */
  | ({ readonly do: "stop" | "kill" } & Of)
  /** Comes back as the event. A child's next timer, `ready` and `exited` make it void: it may be cancelled, and is ignored when it comes. */
  | ({ readonly do: "timer"; readonly name: Timer; readonly afterMs: number } & Of)
  | { readonly do: "reply"; readonly to: string; readonly result: Result }
  /** For the log: a child ended other than as told. `restartInMs` is undefined when it is not restarted. */
  | ({
      readonly do: "report";
      readonly what: "child_terminated" | "start_error" | "killed";
      readonly exit: Exit;
      readonly restartInMs: number | undefined;
    } & Of)
  /** All children are up. */
  | { readonly do: "ready" }
  /** The last command: every child is down. A failed root is exit code 1; a parent takes `exit` as its child's. */
  | { readonly do: "exit"; readonly exit: Exit; readonly failed: boolean };
