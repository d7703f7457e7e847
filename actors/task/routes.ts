/** The routes of tasks (section 3 of the contract). */
import { Type as t } from "@sinclair/typebox";
import { integerParameter } from "../http/integer-parameter.ts";
import { withDefaults } from "../http/merge-patch.ts";
import type { Answer, Call, Caller, Route } from "../http/route.ts";
import { rootSite, type Site } from "../http/site.ts";
import type { CommandKind } from "../model/command.ts";
import { defaults } from "../model/created.ts";
import { instantMs, toInstant } from "../model/instant.ts";
import { Task, type Writable } from "../model/task.ts";
import { answerTo } from "./change-answer.ts";
import { createsOnly, etag, hasVersion, ofReads, ofWrites, parseConsistencyToken, parseIfMatch } from "./conditions.ts";
import { cursorParameter, limitParameter, listParameters, listQuery, pageLimit } from "./list-query.ts";
import { then } from "./maybe-promise.ts";
import { HistoryEntry, NewTask, Operation, TaskPatch } from "./models.ts";
import type { MaybePromise, Reader } from "./ports.ts";
import type { Moment, Shown, TaskService } from "./service.ts";

const json = "application/json";
const mergePatch = "application/merge-patch+json";
const taskRead = "private, no-cache";

const Page = <T extends typeof Task | typeof HistoryEntry>(item: T) =>
  t.Object({ items: t.Array(item), nextCursor: t.Union([t.String(), t.Null()]) });
const taskHeaders = ["ETag", "Consistency-Token", "Idempotency-Replayed"] as const;
const writeProblems = [
  "not-found",
  "version-mismatch",
  "idempotency-mismatch",
  "malformed-header",
  "log-unavailable",
  "overloaded",
] as const;
const bodyProblems = ["malformed-json", "body-too-large", "unsupported-media-type", "validation"] as const;
const readProblems = [
  "not-found",
  "malformed-header",
  "validation",
  "not-yet-visible",
  "read-model-unavailable",
] as const;

/** `publicUrl` is what links begin with. */
export function taskRoutes(service: TaskService, { url: publicUrl }: Pick<Site, "url"> = rootSite): Route[] {
  async function change(
    call: Call,
    kind: CommandKind,
    taskId: string | undefined,
    body: Partial<Writable>,
  ): Promise<Answer> {
    const { request, traceparent } = call;
    const outcome = await service.change({
      kind,
      taskId,
      body,
      asked: call.body ?? {},
      traceparent,
      userId: callerOf(call).userId,
      key: request.headers.get("idempotency-key"),
      target: `${request.method} ${targetOf(kind, taskId)}`,
      expected: parseIfMatch(request.headers.get("if-match")),
      ...(kind === "create" && taskId !== undefined ? { onTaken: "version-mismatch" as const } : {}),
    });
    return answerTo(outcome, kind, publicUrl);
  }

  const shown = (shown: Shown): Answer => ({
    status: 200,
    json: shown.json,
    ...(shown.stale ? { headers: { consistency: "stale" } } : {}),
  });

  /** One version of a task, or 304 when the client has it. */
  function tagged(call: Call, found: Shown): Answer {
    const version = found.version ?? 0;
    const answer = shown(found);
    answer.headers = { ...answer.headers, etag: etag(version) };
    if (!hasVersion(call.request.headers.get("if-none-match"), version)) return answer;
    return { status: 304, headers: answer.headers };
  }

  const onTask = (kind: "delete" | "restore" | "undo") => (call: Call) => change(call, kind, call.params.id, {});
  const answersTask: Route["answers"] = {
    200: { description: "The task", schema: Task, headers: ["ETag", "Consistency"] },
  };
  const answersUndecided: Route["answers"] = {
    202: {
      description: "The log has it; what becomes of it is told under Location",
      schema: Operation,
      headers: ["Location", "Consistency-Token"],
    },
  };
  const answersChange: Route["answers"] = {
    200: { description: "The task", schema: Task, headers: taskHeaders },
    ...answersUndecided,
  };

  return [
    {
      method: "POST",
      path: "/v1/tasks",
      aliases: ["/tasks"],
      id: "createTask",
      summary: "Create a task",
      tag: "Tasks",
      auth: "user",
      body: { schema: NewTask, types: [json] },
      ...ofWrites,
      headers: ["Idempotency-Key"],
      answers: {
        201: { description: "The new task", schema: Task, headers: ["Location", ...taskHeaders] },
        ...answersUndecided,
      },
      problems: [
        ...bodyProblems,
        "malformed-header",
        "idempotency-mismatch",
        "conflict",
        "log-unavailable",
        "overloaded",
      ],
      handle: (call) => change(call, "create", undefined, whole(call.body)),
    },
    {
      method: "GET",
      path: "/v1/tasks",
      aliases: ["/tasks"],
      id: "listTasks",
      summary: "List tasks by filters, sorted, a page at a time",
      tag: "Tasks",
      auth: "user",
      query: listParameters,
      ...ofReads,
      answers: { 200: { description: "A page of tasks", schema: Page(Task), headers: ["Consistency"] } },
      problems: ["validation", "invalid-cursor", "malformed-header", "not-yet-visible", "read-model-unavailable"],
      cacheControl: taskRead,
      handle: (call) => {
        const reader = readerOf(call);
        return then(service.list(reader, listQuery(reader.userId, call.query)), shown);
      },
    },
    {
      method: "GET",
      path: "/v1/tasks/:id",
      aliases: ["/tasks/:id"],
      id: "getTask",
      summary: "Read a task, now or as it was",
      tag: "Tasks",
      auth: "user",
      query: {
        asOf: {
          schema: t.String({
            format: "date-time",
            description: "The task as it was at this instant, a deleted one included",
          }),
        },
        version: {
          schema: integerParameter({ minimum: 0, description: "The task at this version, a deleted one included" }),
        },
      },
      faults: ({ query }) =>
        query.has("version") && query.has("asOf")
          ? [{ path: "/version", message: "must not be given together with asOf" }]
          : [],
      ...ofReads,
      headers: [...ofReads.headers, "If-None-Match"],
      answers: {
        ...answersTask,
        304: { description: "The client has this version", headers: ["ETag", "Consistency"] },
      },
      problems: readProblems,
      cacheControl: taskRead,
      handle: (call) => then(find(service, call), (found) => tagged(call, found)),
    },
    {
      method: "PATCH",
      path: "/v1/tasks/:id",
      aliases: ["/tasks/:id"],
      id: "patchTask",
      summary: "Change the named fields (JSON Merge Patch)",
      description:
        "Fields that are not named stay untouched, whoever else writes at the same moment; `null` sets a field to its default.",
      tag: "Tasks",
      auth: "user",
      body: { schema: TaskPatch, types: [json, mergePatch] },
      ...ofWrites,
      answers: answersChange,
      problems: [...bodyProblems, ...writeProblems],
      handle: (call) =>
        change(call, "patch", call.params.id, utcDue(withDefaults(call.body as Partial<Writable>, defaults))),
    },
    {
      method: "PUT",
      path: "/v1/tasks/:id",
      aliases: ["/tasks/:id"],
      id: "putTask",
      summary: "Replace a task's writable fields, or create it under a chosen id with If-None-Match: *",
      tag: "Tasks",
      auth: "user",
      body: { schema: NewTask, types: [json] },
      headers: [...ofWrites.headers, "If-None-Match"],
      checkHeaders: (headers) => {
        ofWrites.checkHeaders(headers);
        createsOnly(headers);
      },
      answers: {
        ...answersChange,
        201: { description: "The new task", schema: Task, headers: ["Location", ...taskHeaders] },
      },
      problems: [...bodyProblems, ...writeProblems],
      handle: (call) =>
        change(call, createsOnly(call.request.headers) ? "create" : "replace", call.params.id, whole(call.body)),
    },
    {
      method: "DELETE",
      path: "/v1/tasks/:id",
      aliases: ["/tasks/:id"],
      id: "deleteTask",
      summary: "Delete a task; it can be restored",
      tag: "Tasks",
      auth: "user",
      ...ofWrites,
      answers: {
        204: { description: "Deleted", headers: ["Consistency-Token", "Idempotency-Replayed"] },
        ...answersUndecided,
      },
      problems: writeProblems,
      handle: onTask("delete"),
    },
    {
      method: "POST",
      path: "/v1/tasks/:id/restore",
      aliases: ["/tasks/:id/restore"],
      id: "restoreTask",
      summary: "Bring a deleted task back",
      tag: "Tasks",
      auth: "user",
      ...ofWrites,
      answers: answersChange,
      problems: [...writeProblems, "conflict"],
      handle: onTask("restore"),
    },
    {
      method: "POST",
      path: "/v1/tasks/:id/undo",
      aliases: ["/tasks/:id/undo"],
      id: "undoTask",
      summary: "Take back the latest change, as a new version",
      tag: "Tasks",
      auth: "user",
      ...ofWrites,
      answers: answersChange,
      problems: [...writeProblems, "conflict"],
      handle: onTask("undo"),
    },
    {
      method: "GET",
      path: "/v1/tasks/:id/history",
      aliases: ["/tasks/:id/history"],
      id: "taskHistory",
      summary: "Every change of a task, newest first",
      tag: "Tasks",
      auth: "user",
      query: { limit: limitParameter, cursor: cursorParameter },
      ...ofReads,
      answers: { 200: { description: "A page of history", schema: Page(HistoryEntry), headers: ["Consistency"] } },
      problems: [...readProblems, "invalid-cursor"],
      cacheControl: taskRead,
      handle: (call) => {
        const { params, query } = call;
        return then(service.history(readerOf(call), params.id as string, pageLimit(query), query.get("cursor")), shown);
      },
    },
    {
      method: "GET",
      path: "/v1/operations/:id",
      aliases: ["/operations/:id"],
      id: "getOperation",
      summary: "What became of a change",
      tag: "Operations",
      auth: "user",
      ...ofReads,
      answers: { 200: { description: "The operation", schema: Operation } },
      problems: readProblems,
      handle: (call) => then(service.operation(readerOf(call), call.params.id as string), shown),
    },
  ];
}

function callerOf({ caller }: Call): Caller {
  if (caller === undefined) throw new Error("Cannot serve a task to nobody: the route must ask for a user.");
  return caller;
}

function readerOf(call: Call): Reader {
  return {
    userId: callerOf(call).userId,
    token: parseConsistencyToken(call.request.headers.get("consistency-token")),
  };
}

function find(service: TaskService, call: Call): MaybePromise<Shown> {
  const { query } = call;
  const id = call.params.id as string;
  const reader = readerOf(call);
  if (query.size === 0) return service.get(reader, id);
  return service.past(reader, id, momentOf(query));
}

function momentOf(query: URLSearchParams): Moment {
  const version = query.get("version");
  return version === null
    ? { asOfMs: instantMs(query.get("asOf") ?? "") ?? 0 }
    : { version: Math.min(Number(version), Number.MAX_SAFE_INTEGER - 1) };
}

function targetOf(kind: CommandKind, taskId: string | undefined): string {
  const path = taskId === undefined ? "/v1/tasks" : `/v1/tasks/${taskId}`;
  return kind === "restore" || kind === "undo" ? `${path}/${kind}` : path;
}

function whole(body: unknown): Writable {
  return utcDue({ ...defaults, ...(body as Writable) });
}

/** Instants are kept as UTC milliseconds, whatever offset and precision they came with. */
function utcDue<Body extends Partial<Writable>>(body: Body): Body {
  return typeof body.dueAt === "string" ? { ...body, dueAt: toInstant(instantMs(body.dueAt) ?? 0) } : body;
}
