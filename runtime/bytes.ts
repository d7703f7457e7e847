import type { Schema } from "./actor.ts";

declare const mark: unique symbol;

/** The schema of bytes, which are no JSON: the whole body or the whole answer of a kind, never a part of one. */
export type BytesSchema = Schema<Uint8Array> & {
  /** Phantom: tells it from other schemas of this type. */
  readonly [mark]: true;
};

/** For kinds whose body or answer is a `Uint8Array`: `tell(bytes())`, `ask(bytes(), bytes())`. They cross as they are, not as text. */
export function bytes(): BytesSchema {
  return {} as BytesSchema;
}

const marked = new WeakSet<Uint8Array>();

/**
 * Marks the bytes that a handler answers with: they are moved to an asker in another thread and not copied, and the handler's view of them is empty
 * afterwards. Bytes that are a part of a larger buffer, or shared, are copied all the same.
 */
export function transfer<Bytes extends Uint8Array>(answer: Bytes): Bytes {
  marked.add(answer);
  return answer;
}

/** Whether an answer was marked so. */
export const takeMark = (answer: Uint8Array): boolean => marked.delete(answer);

export class MovedError extends TypeError {}

/** The bytes that arrive: a buffer of their own, moved or copied. Throws a `MovedError` when they have been moved before. */
export function bytesToSend(given: Uint8Array, isMoved: boolean): Uint8Array<ArrayBuffer> {
  const { buffer } = given;
  if (buffer instanceof ArrayBuffer && buffer.detached)
    throw new MovedError("its bytes have been moved before; copy them first, or send them without transfer");
  const isWhole = buffer instanceof ArrayBuffer && given.byteLength === buffer.byteLength;
  return isWhole && isMoved ? new Uint8Array(buffer.transfer()) : new Uint8Array(given);
}

/** What a body takes of a mailbox that is bounded in bytes: its own, or the characters of its JSON. */
export function bodyBytesOf(body: unknown): number {
  if (body instanceof Uint8Array) return Math.max(1, body.byteLength);
  try {
    return JSON.stringify(body)?.length ?? 4;
  } catch {
    // It becomes a dead letter with its reason when it is written.
    return 1;
  }
}
