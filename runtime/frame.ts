import type { PackedError } from "./errors.ts";

/**
 * The wire: one JSON array a turn, flat, so that a message costs a few pushes and no object.
 *
 *     kind, body, 0                      a tell
 *     kind, body, id, deadlineMs         an ask
 *     [traceparent, from, key?], …       said of the message that follows
 *     id, value                          an answer
 *     -id, error                         a failed ask
 *     0, slot                            the mailbox of this slot has space again
 *     null, id                           the asker gives up an ask
 */
export type Frame = unknown[];

/** Said of a message when there is something to say. */
export type Extra = [traceparent: string | null, from: string | null, key?: string];

export type FrameReader = {
  message(kind: string, body: unknown, id: number, deadlineMs: number | undefined, extra: Extra | undefined): void;
  answer(id: number, value: unknown): void;
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
      if (head > 0) reader.answer(head, frame[at + 1]);
      else if (head < 0) reader.failure(-head, frame[at + 1] as PackedError);
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
