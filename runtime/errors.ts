/** The closed list of ways in which the runtime itself fails a message; whatever else an ask rejects with was thrown by its handler. */

export type RuntimeCode =
  /** The receiver is not there, or ended before it answered: the outcome is unknown. */
  | "Died"
  /** The receiver's mailbox is full and refuses: nothing was done. */
  | "Busy"
  /** The deadline passed: nothing was done, or the outcome is unknown. */
  | "Expired"
  /** The receiver has been asked to stop and takes nothing new: nothing was done. */
  | "Stopped"
  /** The receiver has no handler for this kind: nothing was done. */
  | "Unhandled"
  /** The asker gave up, or what it asked this for was given up: nothing was done, or the outcome is unknown. */
  | "Cancelled"
  /** An actor asked itself, and would have waited for its own answer: nothing was done. */
  | "SelfAsk";

export class ActorError extends Error {
  override readonly name = "ActorError";
  readonly code: RuntimeCode;
  constructor(code: RuntimeCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether the runtime failed the message, and (when given) in this way. */
export function isActorError(error: unknown, code?: RuntimeCode): error is ActorError {
  return error instanceof ActorError && (code === undefined || error.code === code);
}

export const died = (actor: string, cause?: unknown): ActorError =>
  new ActorError("Died", `Cannot reach ${actor}: it is not running`, cause === undefined ? undefined : { cause });
export const busy = (actor: string): ActorError =>
  new ActorError("Busy", `Cannot take the message: the mailbox of ${actor} is full`);
export const expired = (actor: string, kind: string): ActorError =>
  new ActorError("Expired", `Cannot wait longer for ${actor} to answer ${kind}: its deadline has passed`);
export const stopped = (actor: string): ActorError =>
  new ActorError("Stopped", `Cannot reach ${actor}: it is stopping`);
export const systemNotRunning = (actor: string): ActorError =>
  new ActorError(
    "Stopped",
    `Cannot reach ${actor}: its system is not running; await start() first, and make a new system after stop()`,
  );
export const unhandled = (actor: string, kind: string): ActorError =>
  new ActorError(
    "Unhandled",
    `Cannot handle ${kind}: ${actor} has no handler for it; declare it in actor(), or send another`,
  );

export const cancelled = (actor: string, kind: string, cause?: unknown): ActorError =>
  new ActorError(
    "Cancelled",
    `Cannot go on with ${kind} of ${actor}: its asker is gone or has given up`,
    cause === undefined ? undefined : { cause },
  );

export const selfAsk = (actor: string, kind: string): ActorError =>
  new ActorError(
    "SelfAsk",
    `Cannot ask ${kind} of oneself: ${actor} would wait for its own answer; call a function, or tell`,
  );

/** What something gives, as text; it may be nothing that text can be made of, or throw itself. */
function textOf(read: () => unknown): string {
  try {
    const value = read();
    return typeof value === "string" ? value : String(value);
  } catch {
    return "(no text)";
  }
}

/** Whatever was thrown, as an Error whose message is text. Never throws. */
export function asError(thrown: unknown): Error {
  try {
    if (thrown instanceof Error && typeof thrown.message === "string") return thrown;
  } catch {
    // Its message throws when it is read.
  }
  return new Error(typeof thrown === "string" ? thrown : `thrown: ${textOf(() => thrown)}`);
}

/** Where an error was thrown, and what it was caused by (at most eight deep). */
export function stackOf(error: Error): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error && parts.length < 8; at = at.cause) {
    const each = at;
    parts.push(textOf(() => each.stack ?? `${each.name}: ${each.message}`));
  }
  return parts.join("\nCaused by: ");
}

/** An error in a log line. */
export const errorFields = (error: Error): { error: string; stack: string } => ({
  error: error.message,
  stack: stackOf(error),
});

/** An error as a JSON value: name, message, code (null when it is neither text nor a number), stack, cause (at most eight deep). */
export type PackedError = [
  name: string,
  message: string,
  code: string | number | null,
  stack: string,
  cause?: PackedError,
];

/** Never throws, and gives what can be written as JSON, whatever the error's fields are. */
export function packError(thrown: unknown, depth = 0): PackedError {
  const error = asError(thrown);
  const packed: PackedError = [textOf(() => error.name), error.message, null, textOf(() => error.stack ?? "")];
  try {
    const { code } = error as { code?: unknown };
    if (typeof code === "string" || typeof code === "number") packed[2] = code;
    if (error.cause !== undefined && depth < 8) packed.push(packError(error.cause, depth + 1));
  } catch {
    // A field that throws when it is read is left out.
  }
  return packed;
}

export function unpackError([name, message, code, stack, cause]: PackedError): Error {
  const options = cause === undefined ? undefined : { cause: unpackError(cause) };
  const error =
    name === "ActorError" ? new ActorError(code as RuntimeCode, message, options) : new Error(message, options);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true });
  if (code !== null && name !== "ActorError")
    Object.defineProperty(error, "code", { value: code, enumerable: true, configurable: true });
  Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  return error;
}
