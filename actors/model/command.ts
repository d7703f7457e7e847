/** What the log carries and what the writer answers: the language between the `task` and `consumer` roles. */
import { type Static, Type as t } from "@sinclair/typebox";
import type { ProblemCode } from "./problem.ts";
import { type Writable, writable } from "./task.ts";

export const commandKinds = ["create", "patch", "replace", "delete", "restore", "undo"] as const;
/** What is asked of one task. */
export type CommandKind = (typeof commandKinds)[number];
/** Of a whole user (model/erasure.ts). */
export type LoggedKind = CommandKind | "erase";

/** Where in the log a command stands. Offsets grow within a partition; without Kafka there is one partition, 0. */
export type Position = { readonly partition: number; readonly offset: number };

const uuid = t.String({ format: "uuid" });

/** The body: all writable fields for create and replace, for patch only the ones named (`dueAt` already UTC milliseconds), none for others. */
export const Command = t.Object(
  {
    /** UUIDv5(user, Idempotency-Key), or a fresh UUIDv7. */
    operationId: uuid,
    /** Its Idempotency-Key was given: its record is kept for ever. */
    keyed: t.Boolean(),
    taskId: uuid,
    userId: uuid,
    kind: t.Union([...commandKinds, "erase"].map((kind) => t.Literal(kind))),
    /** SHA-256 (base64url) of method, canonical path and the JSON value: another one under the same operation is `idempotency-mismatch`. */
    fingerprint: t.String({ maxLength: 64 }),
    /** From If-Match: the versions accepted, or "*" for any existing one. Absent: no condition. */
    expected: t.Optional(t.Union([t.Array(t.Integer({ minimum: 1 })), t.Literal("*")])),
    /** create only: the refusal when the id is taken, whoever owns it. `conflict` unless told; PUT with If-None-Match: * says `version-mismatch`. */
    onTaken: t.Optional(t.Union([t.Literal("version-mismatch"), t.Literal("conflict")])),
    body: t.Partial(t.Object(writable), { additionalProperties: false }),
    /** RFC 3339 UTC milliseconds at the edge; the writer never lets it run backwards within a task. */
    at: t.String({ format: "date-time" }),
    traceparent: t.Optional(t.String({ maxLength: 512 })),
  },
  { additionalProperties: false },
);
export type Command = Static<typeof Command> & { kind: LoggedKind; body: Partial<Writable> };

export type Verdict = "applied" | "rejected" | "replayed";

export type Outcome = {
  operationId: string;
  taskId: string;
  userId: string;
  position: Position;
  verdict: Verdict;
  /** Why it was rejected; for a replayed refusal, the first refusal's code. */
  code?: Extract<ProblemCode, "not-found" | "conflict" | "version-mismatch" | "idempotency-mismatch">;
  /** The task's JSON text after the operation (after the FIRST taking, when replayed). Absent when rejected, and for a delete; an undo that deletes again has it. */
  task?: string;
  /** The task's version after the operation. */
  version?: number;
  /** Set when the task is deleted after the operation. */
  deleted?: true;
  /** Whether the task was made, where a repeat cannot know it: a create repeats what was a replace when it was first taken, or the other way round. */
  made?: boolean;
};

/**
 * What the writer announces of every position of the log, in the log's order within a partition, once its effect can be read.
 * `taken` is the position of the command itself; a repeat's outcome has the position of the first one. Without an outcome it was parked.
 */
export type Announcement = { readonly taken: Position; readonly outcome?: Outcome };

/** Whether nothing in the command can be refused: a create under an id of our own, whose key (there is none) cannot have been used before. */
export function isCertain({ kind, keyed, taskId, operationId }: Command): boolean {
  return kind === "create" && !keyed && taskId === operationId;
}
