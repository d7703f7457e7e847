import type { Transferable } from "node:worker_threads";
import type { PackedError } from "./errors.ts";

/**
 * The wire: one JSON array a turn, flat, so that a message costs a few pushes and no object.
 *
 *     kind, body, 0                      a tell
 *     kind, body, id, deadlineMs         an ask
 *     [traceparent, from, key, part, bodyBytes], …   said of the message or answer that follows, as far as there is something to say
 *     id, value                          an answer
 *     -id, error                         a failed ask
 *     0, slot                            the mailbox of this slot has space again
 *     null, id                           the asker gives up an ask
 *
 * Bytes are no JSON: a frame that has any is posted as its text with its parts, in whose order bodies and answers name theirs.
 */
export type Frame = unknown[];

/** Said of a message (or, of a part, of an answer) when there is something to say. */
export type Extra = [
  traceparent: string | null,
  from: string | null,
  key?: string | null,
  part?: number | null,
  bodyBytes?: number,
];

/** What is posted: the frame's text, with the bytes that belong to it if there are any. */
export type Posted = string | PostedBytes;
export type PostedBytes = { readonly text: string; readonly parts: readonly Uint8Array<ArrayBuffer>[] };

/** Posts a frame; `to` names the actor it is for, where there may be several. */
export function postFrame(
  port: { postMessage(value: unknown, transfer?: Transferable[]): void },
  frame: Posted,
  to: number | "" = "",
): void {
  if (typeof frame === "string") port.postMessage(to === "" ? frame : `${to}${frame}`);
  else
    port.postMessage(
      { text: `${to}${frame.text}`, parts: frame.parts } satisfies PostedBytes,
      frame.parts.map(({ buffer }) => buffer),
    );
}

/** Whom a posted frame names, undefined when nobody, and the frame without the name. */
export function addressed(posted: Posted): { readonly to: number | undefined; readonly frame: Posted } {
  const text = typeof posted === "string" ? posted : posted.text;
  if (text.startsWith("[")) return { to: undefined, frame: posted };
  const at = text.indexOf("[");
  const rest = text.slice(at);
  return { to: Number(text.slice(0, at)), frame: typeof posted === "string" ? rest : { ...posted, text: rest } };
}

export type FrameReader = {
  message(kind: string, body: unknown, id: number, deadlineMs: number | undefined, extra: Extra | undefined): void;
  answer(id: number, value: unknown, extra: Extra | undefined): void;
  failure(id: number, error: PackedError): void;
  space(slot: number): void;
  givenUp(id: number): void;
};

export function readFrame(frame: Frame, reader: FrameReader): void {
  let extra: Extra | undefined;
  for (let at = 0; at < frame.length; ) {
    const head = frame[at];
    if (typeof head === "string") {
      const id = frame[at + 2] as number;
      reader.message(head, frame[at + 1], id, id === 0 ? undefined : (frame[at + 3] as number), extra);
      extra = undefined;
      at += id === 0 ? 3 : 4;
    } else if (typeof head === "number") {
      if (head > 0) {
        reader.answer(head, frame[at + 1], extra);
        extra = undefined;
      } else if (head < 0) reader.failure(-head, frame[at + 1] as PackedError);
      else reader.space(frame[at + 1] as number);
      at += 2;
    } else if (head === null) {
      reader.givenUp(frame[at + 1] as number);
      at += 2;
    } else {
      extra = head as Extra;
      at += 1;
    }
  }
}
