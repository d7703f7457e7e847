/** What the `task` role does with a request that has passed the edge: append a command and tell its outcome, or read. */
import { createHash } from "node:crypto";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import type { Command, CommandKind, Outcome, Position } from "../model/command.ts";
import { taskText } from "../model/created.ts";
import { instantMs, toInstant } from "../model/instant.ts";
import { type Change as PastChange, past } from "../model/past.ts";
import { Problem, problems } from "../model/problem.ts";
import type { Writable } from "../model/task.ts";
import { sealCursor, unsealCursor } from "./cursor.ts";
import { cursorAfter, type ListQuery } from "./list-query.ts";
import type { Log, Reads, StoredTask } from "./ports.ts";

export type Change = {
  readonly kind: CommandKind;
  readonly userId: string;
  /** Undefined: the service chooses it. */
  readonly taskId: string | undefined;
  readonly key: string | null;
  /** Method and canonical path, the fingerprint's first part. */
  readonly target: string;
  readonly expected: readonly number[] | "*" | undefined;
  readonly onTaken?: "version-mismatch";
  readonly body: Partial<Writable>;
  /** The body's JSON value as it was sent, before defaults: the fingerprint's other part. */
  readonly asked: unknown;
  readonly traceparent: string | undefined;
};

/** How a read of the past names its moment. */
export type Moment = { readonly version: number } | { readonly asOfMs: number };

export type TaskService = {
  /** Resolves to the outcome, refusals included. Throws `log-unavailable`. */
  change(change: Change): Promise<Outcome>;
  /** Throws `not-found`. */
  get(userId: string, id: string): StoredTask;
  /** Throws `not-found`. The JSON text and the version shown. */
  past(userId: string, id: string, moment: Moment): { json: string; version: number };
  list(query: ListQuery): string;
  history(userId: string, id: string, limit: number, cursor: string | null): string;
  operation(userId: string, id: string): string;
  /** Resolves once the position is visible; throws `not-yet-visible` after a second. */
  visible(position: Position): Promise<void>;
};

const visibilityWaitMs = 1_000;
const visibilityPollMs = 5;
/** The creation and everything after it, read back for a look at the past. */
const historyMax = Number.MAX_SAFE_INTEGER;

export function taskService(log: Log, reads: Reads, now: () => number): TaskService {
  function owned(userId: string, id: string): StoredTask {
    const task = reads.task(id);
    if (task === undefined || task.ownerId !== userId) throw new Problem("not-found");
    return task;
  }

  return {
    change(change) {
      const operationId = change.key === null ? uuidv7() : uuidv5(change.key, change.userId);
      const command: Command = {
        operationId,
        keyed: change.key !== null,
        // A retried create is the same task, in the same partition, behind the first.
        taskId: change.taskId ?? operationId,
        userId: change.userId,
        kind: change.kind,
        fingerprint: change.key === null ? "" : fingerprint(change.target, change.asked),
        body: change.body,
        at: toInstant(now()),
      };
      if (change.expected !== undefined) command.expected = change.expected;
      if (change.onTaken !== undefined) command.onTaken = change.onTaken;
      if (change.traceparent !== undefined) command.traceparent = change.traceparent;
      return log.append(command);
    },

    get(userId, id) {
      const task = owned(userId, id);
      if (task.deleted) throw new Problem("not-found");
      return task;
    },

    past(userId, id, moment) {
      owned(userId, id);
      const shown = past(id, until(reads, id, moment));
      if (shown === undefined || shown.deleted) throw new Problem("not-found");
      return { json: taskText(shown.task), version: shown.task.version };
    },

    list(query) {
      const found = reads.list(query);
      const page = found.slice(0, query.limit);
      const last = page.at(-1);
      const next =
        found.length > query.limit && last !== undefined ? JSON.stringify(cursorAfter(query, last.end)) : "null";
      return `{"items":[${page.map(({ json }) => json).join(",")}],"nextCursor":${next}}`;
    },

    history(userId, id, limit, cursor) {
      owned(userId, id);
      const boundTo = ["history", userId, id];
      const before = cursor === null ? historyMax : pageEnd(unsealCursor(cursor, boundTo));
      const changes = reads.history(id, before, limit + 1);
      const items = changes.slice(0, limit).map(({ entry }) => entry);
      const nextCursor = changes.length > limit ? sealCursor([items.at(-1)?.version], boundTo) : null;
      return JSON.stringify({ items, nextCursor });
    },

    operation(userId, id) {
      const operation = reads.operation(id);
      if (operation === undefined || operation.userId !== userId) throw new Problem("not-found");
      if (operation.verdict === "rejected") {
        const code = operation.code as keyof typeof problems;
        const { status, title, about } = problems[code];
        return JSON.stringify({
          id,
          status: "rejected",
          problem: { type: `/problems/${code}`, title, status, detail: about, code },
        });
      }
      const made = past(operation.taskId, until(reads, operation.taskId, { version: operation.version ?? 0 }));
      return `{"id":"${id}","status":"applied"${made === undefined || made.deleted ? "" : `,"task":${taskText(made.task)}`}}`;
    },

    async visible(position) {
      const endMs = now() + visibilityWaitMs;
      for (;;) {
        const seen = reads.position();
        if (seen.partition === position.partition && seen.offset >= position.offset) return;
        if (now() >= endMs) throw new Problem("not-yet-visible");
        await new Promise((resolve) => setTimeout(resolve, visibilityPollMs));
      }
    },
  };
}

/** The version that a page of history ended with. */
function pageEnd([version]: readonly unknown[]): number {
  if (typeof version !== "number" || !Number.isSafeInteger(version)) throw new Problem("invalid-cursor");
  return version;
}

/** A task's changes up to a moment, oldest first; none when the moment is out of its life. */
function until(reads: Reads, id: string, moment: Moment): PastChange[] {
  const before = "version" in moment ? moment.version + 1 : historyMax;
  const changes = reads.history(id, before, historyMax).reverse();
  if ("version" in moment) return changes.at(-1)?.entry.version === moment.version ? changes : [];
  return changes.filter(({ entry }) => (instantMs(entry.at) ?? 0) <= moment.asOfMs);
}

/** Method, path and JSON value: the order of an object's members does not matter. */
function fingerprint(target: string, body: unknown): string {
  return createHash("sha256").update(target).update("\0").update(canonical(body)).digest("base64url");
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
