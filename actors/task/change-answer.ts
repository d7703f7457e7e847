/** What a change is answered with, from its outcome or from the lack of one. */
import type { Answer } from "../http/route.ts";
import type { CommandKind, Outcome } from "../model/command.ts";
import { Problem } from "../model/problem.ts";
import { consistencyToken, etag } from "./conditions.ts";
import type { Undecided } from "./service.ts";

/** Throws what the writer refused. */
export function answerTo(outcome: Outcome | Undecided, kind: CommandKind, publicUrl: string): Answer {
  const headers: Record<string, string> = { "consistency-token": consistencyToken(outcome.position) };
  if (outcome.verdict === "pending") {
    headers.location = `${publicUrl}/v1/operations/${outcome.operationId}`;
    return { status: 202, json: JSON.stringify({ id: outcome.operationId, status: "pending" }), headers };
  }
  if (outcome.verdict === "replayed") headers["idempotency-replayed"] = "true";
  if (outcome.code !== undefined) throw new Problem(outcome.code, undefined, { headers });
  if (outcome.task === undefined) return { status: 204, headers };
  headers.etag = etag(outcome.version ?? 1);
  const isMade = outcome.made ?? kind === "create";
  if (isMade) headers.location = `${publicUrl}/v1/tasks/${outcome.taskId}`;
  return { status: isMade ? 201 : 200, json: outcome.task, headers };
}
