/** What the `task` role does with a request that has passed the edge: append a command and tell its outcome, or read. */
import { createHash } from "node:crypto";
import { v5 as uuidv5, v7 as uuidv7 } from "uuid";
import { problemType } from "../http/answer.ts";
import { rootSite, type Site } from "../http/site.ts";
import { histogram } from "../metrics/registry.ts";
import { type Command, type CommandKind, isCertain, type Outcome, type Position } from "../model/command.ts";
import { created, taskText } from "../model/created.ts";
import { instantMs, toInstant } from "../model/instant.ts";
import { type Change as PastChange, past } from "../model/past.ts";
import { Problem, problems } from "../model/problem.ts";
import type { Writable } from "../model/task.ts";
import { text, whole } from "../tracing/exporter.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { sealCursor, unsealCursor } from "./cursor.ts";
import { cursorAfter, type ListQuery } from "./list-query.ts";
import { then } from "./maybe-promise.ts";
import type { Appended, Latest, Listed, Log, MaybePromise, Reader, Reads, StoredOperation } from "./ports.ts";

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

/** A read's answer as JSON text; `stale` when the reader's own writes could not be waited for. */
export type Shown = { readonly json: string; readonly stale: boolean; readonly version?: number };

export type TaskService = {
  /** Resolves to the outcome, refusals included, or to what is known of an operation that is not decided in time. Throws `log-unavailable`. */
  change(change: Change): Promise<Outcome | Undecided>;
  /** Throws `not-found`, as all that read one task do. */
  get(reader: Reader, id: string): MaybePromise<Shown>;
  past(reader: Reader, id: string, moment: Moment): MaybePromise<Shown>;
  list(reader: Reader, query: ListQuery): MaybePromise<Shown>;
  history(reader: Reader, id: string, limit: number, cursor: string | null): MaybePromise<Shown>;
  operation(reader: Reader, id: string): MaybePromise<Shown>;
};
/** The log has it; the rest will be known by its operation. */
export type Undecided = { readonly verdict: "pending"; readonly operationId: string; readonly position: Position };

const verdicts = histogram(
  "verdict_duration_seconds",
  "From a command to what the writer decided, as the edge waits for it; pending: not in time.",
  { labels: ["verdict"] },
);
const took = {
  applied: verdicts.of("applied"),
  rejected: verdicts.of("rejected"),
  replayed: verdicts.of("replayed"),
  pending: verdicts.of("pending"),
} as const;

/** The creation and everything after it, read back for a look at the past. */
const historyMax = Number.MAX_SAFE_INTEGER;

export type ServiceParts = {
  readonly log: Log;
  readonly reads: Reads;
  readonly latest: Latest;
  readonly now: () => number;
  readonly tracer?: Tracer | undefined;
  /** What links in answers begin with. */
  readonly site?: Pick<Site, "url">;
};

export function taskService(parts: ServiceParts): TaskService {
  const { log, reads, latest, now, tracer, site = rootSite } = parts;

  /** What is read of a task by its owner, once the owner's own writes to it can be read. */
  function ofOwner<T>(
    reader: Reader,
    id: string,
    read: () => MaybePromise<T>,
  ): MaybePromise<{ value: T; stale: boolean }> {
    return then(latest.isStale(reader, id), (stale) =>
      then(reads.task(id), (task) => {
        if (task === undefined || task.ownerId !== reader.userId) throw new Problem("not-found");
        return then(read(), (value) => ({ value, stale }));
      }),
    );
  }

  return {
    async change(change) {
      const command = commandOf(change, now());
      const verdict = !isCertain(command);
      const startMs = performance.now();
      const appended = await traced(command, () => log.append(command, { verdict }));
      if (verdict || appended.outcome !== undefined)
        took[appended.outcome?.verdict ?? "pending"].observe((performance.now() - startMs) / 1_000);
      await latest.wrote(command, appended);
      const { position, outcome } = appended;
      if (outcome !== undefined) return outcome;
      const { operationId, taskId, userId } = command;
      if (verdict) return { verdict: "pending", operationId, position };
      return {
        verdict: "applied",
        operationId,
        taskId,
        userId,
        position,
        version: 1,
        task: taskText(created(command)),
      };
    },

    get: (reader, id) =>
      then(latest.task(reader, id), ({ task, stale }) => {
        if (task === undefined || task.deleted || task.ownerId !== reader.userId) throw new Problem("not-found");
        return { json: task.json, version: task.version, stale };
      }),

    past: (reader, id, moment) =>
      then(
        ofOwner(reader, id, () => until(reads, id, moment)),
        ({ value: changes, stale }) => {
          const shown = past(id, changes);
          if (shown === undefined || shown.deleted) throw new Problem("not-found");
          return { json: taskText(shown.task), version: shown.task.version, stale };
        },
      ),

    list: (reader, query) =>
      then(latest.isStale(reader), (stale) =>
        then(reads.list(query), (found) => ({ json: pageOf(query, found), stale })),
      ),

    history(reader, id, limit, cursor) {
      const boundTo = ["history", reader.userId, id];
      const page = () => {
        const before = cursor === null ? historyMax : pageEnd(unsealCursor(cursor, boundTo));
        return reads.history(id, before, limit + 1);
      };
      return then(ofOwner(reader, id, page), ({ value: changes, stale }) => {
        const items = changes.slice(0, limit).map(({ entry }) => entry);
        const nextCursor = changes.length > limit ? sealCursor([items.at(-1)?.version], boundTo) : null;
        return { json: JSON.stringify({ items, nextCursor }), stale };
      });
    },

    operation: ({ userId, token }, id) =>
      then(token === undefined ? false : latest.isStale({ userId, token }), () =>
        then(operationOf(id, userId), (operation) => {
          if (operation === "pending") return { json: JSON.stringify({ id, status: "pending" }), stale: false };
          if (operation?.userId !== userId) throw new Problem("not-found");
          return then(decidedJson(id, operation), (json) => ({ json, stale: false }));
        }),
      ),
  };

  /** Runs the append in a span, below which the writer goes on. */
  async function traced(command: Command, append: () => Promise<Appended>): Promise<Appended> {
    const { traceparent: parent, kind, operationId } = command;
    const span = tracer?.start(`append ${kind}`, { kind: "producer", parent, onlyWithin: true });
    if (span === undefined) return append();
    command.traceparent = span.traceparent;
    try {
      const appended = await append();
      const { partition, offset } = appended.position;
      const place = [whole("tt.log.partition", partition), whole("tt.log.offset", offset)];
      span.end([text("tt.operation_id", operationId), ...place]);
      return appended;
    } catch (failure) {
      span.end([text("tt.operation_id", operationId)], { failed: true });
      throw failure;
    }
  }

  /** What the read model has of it, else whether it is known to be under way. */
  function operationOf(id: string, userId: string): MaybePromise<StoredOperation | "pending" | undefined> {
    const otherwise = (failure?: unknown) =>
      then(latest.pending(id), (owner) => {
        if (owner === userId) return "pending" as const;
        if (failure !== undefined) throw failure;
        return undefined;
      });
    const found = reads.operation(id);
    return found instanceof Promise ? found.then((known) => known ?? otherwise(), otherwise) : (found ?? otherwise());
  }

  function decidedJson(id: string, operation: StoredOperation): MaybePromise<string> {
    if (operation.verdict === "rejected") {
      const code = operation.code as keyof typeof problems;
      const { status, title, about } = problems[code];
      const problem = { type: problemType(code, site), title, status, detail: about, code };
      return JSON.stringify({ id, status: "rejected", problem });
    }
    return then(until(reads, operation.taskId, { version: operation.version ?? 0 }), (changes) => {
      const made = past(operation.taskId, changes);
      const task = made === undefined || made.deleted ? "" : `,"task":${taskText(made.task)}`;
      return `{"id":"${id}","status":"applied"${task}}`;
    });
  }
}

function commandOf(change: Change, nowMs: number): Command {
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
    at: toInstant(nowMs),
  };
  if (change.expected !== undefined) command.expected = change.expected === "*" ? "*" : [...change.expected];
  if (change.onTaken !== undefined) command.onTaken = change.onTaken;
  if (change.traceparent !== undefined) command.traceparent = change.traceparent;
  return command;
}

function pageOf(query: ListQuery, found: readonly Listed[]): string {
  const page = found.slice(0, query.limit);
  const last = page.at(-1);
  const next = found.length > query.limit && last !== undefined ? JSON.stringify(cursorAfter(query, last.end)) : "null";
  return `{"items":[${page.map(({ json }) => json).join(",")}],"nextCursor":${next}}`;
}

/** The version that a page of history ended with. */
function pageEnd([version]: readonly unknown[]): number {
  if (typeof version !== "number" || !Number.isSafeInteger(version)) throw new Problem("invalid-cursor");
  return version;
}

/** A task's changes up to a moment, oldest first; none when the moment is out of its life. */
function until(reads: Reads, id: string, moment: Moment): MaybePromise<PastChange[]> {
  const before = "version" in moment ? moment.version + 1 : historyMax;
  return then(reads.history(id, before, historyMax), (newestFirst) => {
    const changes = newestFirst.toReversed();
    if ("version" in moment) return changes.at(-1)?.entry.version === moment.version ? changes : [];
    return changes.filter(({ entry }) => (instantMs(entry.at) ?? 0) <= moment.asOfMs);
  });
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
