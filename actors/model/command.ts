/** What the log carries and what the writer answers: the language between the `task` and `consumer` roles. */
import type { ProblemCode } from "./problem.ts";
import type { Writable } from "./task.ts";

export const commandKinds = ["create", "patch", "replace", "delete", "restore", "undo"] as const;
export type CommandKind = (typeof commandKinds)[number];

/** Where in the log a command stands. Offsets grow within a partition; without Kafka there is one partition, 0. */
export type Position = { readonly partition: number; readonly offset: number };

export type Command = {
  /** UUIDv5(user, Idempotency-Key), or a fresh UUIDv7. */
  operationId: string;
  /** Its Idempotency-Key was given: its record is kept for ever. */
  keyed: boolean;
  taskId: string;
  userId: string;
  kind: CommandKind;
  /** SHA-256 (base64url) of method, canonical path and the JSON value: another one under the same operation is `idempotency-mismatch`. */
  fingerprint: string;
  /** From If-Match: the versions accepted, or "*" for any existing one. Absent: no condition. */
  expected?: readonly number[] | "*";
  /** create only: the refusal when the id is taken, whoever owns it. `conflict` unless told; PUT with If-None-Match: * says `version-mismatch`. */
  onTaken?: "version-mismatch" | "conflict";
  /** create: all writable fields. patch: only the ones named (already validated, `dueAt` already UTC milliseconds). replace: all. Others: {}. */
  body: Partial<Writable>;
  /** RFC 3339 UTC milliseconds at the edge; the writer never lets it run backwards within a task. */
  at: string;
  traceparent?: string;
};

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
};
