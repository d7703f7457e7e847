/** Examples for the published document: made from the schemas, with values that a reader can tell apart. */
import { type ProblemCode, problems } from "../model/problem.ts";
import type { AnswerHeader, RequestHeader } from "./header-names.ts";
import type { Schema, Schemas } from "./openapi-schemas.ts";

const ids = {
  user: "0197a3b1-52c7-7d04-8f1e-6a2b9c3d4e5f",
  space: "0197a3b8-0f4d-7e19-b6a2-1c8d7e6f5a4b",
  project: "0197a3bd-9a31-7c62-a0d5-3e4f5a6b7c8d",
  task: "0197a3c2-6d1e-7b3a-9c41-2f0e8d5a7b10",
  other: "0197a3c4-11fa-7a08-bd27-9d8c7b6a5e4f",
  column: "5b0c1a52-7d3f-4e86-9a1b-c2d3e4f5a6b7",
  operation: "8f14e45f-ceea-567a-b2d3-1a2b3c4d5e6f",
};
const instant = "2026-01-31T09:30:00.000Z";
const due = { date: "2026-02-14", time: "18:00", timeZone: "Europe/Berlin" };
const columns = [
  { id: ids.column, name: "To do", status: "todo" },
  { id: "6c1d2b63-8e40-4f97-8b2c-d3e4f5a6b7c8", name: "Done", status: "done" },
];
const longText = "Oat milk, *not* almond";
const password = "correct horse battery staple";

/** By the name of the property or parameter, where the schema takes it. */
const byName: Readonly<Record<string, unknown>> = {
  id: ids.task,
  spaceId: ids.space,
  userId: ids.user,
  sub: ids.user,
  sid: ids.other,
  creatorId: ids.user,
  actorId: ids.user,
  operationId: ids.operation,
  projectId: ids.project,
  project: ids.project,
  columnId: ids.column,
  column: ids.column,
  taskId: ids.task,
  task: ids.task,
  parent: ids.other,
  assigneeIds: [ids.user],
  assignee: "me",
  title: "Buy milk",
  name: "Groceries",
  description: longText,
  body: "There is some left.",
  note: "For the new colleague",
  labels: ["home"],
  label: "home",
  q: "milk",
  due,
  dueAt: "2026-02-14T17:00:00.000Z",
  columns,
  rank: "a0V",
  estimateMinutes: 15,
  color: "#3366cc",
  email: "ada@example.com",
  username: "ada@example.com",
  password,
  currentPassword: password,
  newPassword: "better horse battery staple",
  accessToken: "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
  access_token: "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIuLi4ifQ.c2lnbmF0dXJl",
  refreshToken: "kH0w2Xo5gN8pQ1rS4tU7vW",
  refresh_token: "kH0w2Xo5gN8pQ1rS4tU7vW",
  resetToken: "mZ3x6Yp9hO2qR5sT8uV1wX",
  expiresIn: 600,
  expires_in: 600,
  exp: 1_769_852_400,
  userAgent: "Mozilla/5.0",
  url: "https://example.org/todo/#/join/ti_AZejsVLHfQ",
  epoch: "3f6c2d1e8b7a4950",
  nextCursor: ".WyIyMDI2LTAxLTMxIl0.nL4kq0cT9s2vX7yBzD1eFg",
  cursor: ".WyIyMDI2LTAxLTMxIl0.nL4kq0cT9s2vX7yBzD1eFg",
  timeZone: "Europe/Berlin",
  space: `${ids.space}:17`,
  dueBefore: "2026-02-15",
  dueAfter: "2026-01-31",
  deleted: true,
  version: 1,
  seq: 17,
  issuer: "task-tracker",
  audience: "task-tracker",
  hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  untilMs: 1_769_852_400_000,
  sort: "-createdAt",
  done: 30,
  after: 0,
  path: "/title",
  message: "is required",
};

/** Of whole models: of bodies the fields that one would send, of others what their parts alone do not tell. */
const byModel: Readonly<Record<string, unknown>> = {
  NewTask: { title: "Buy milk", labels: ["home"], priority: "high", due },
  TaskReplacement: { title: "Buy oat milk", status: "in_progress" },
  TaskPatch: { status: "done", labels: { add: ["urgent"] } },
  NewProject: { name: "Groceries", color: "#3366cc" },
  ProjectReplacement: { name: "Groceries", description: longText },
  ProjectPatch: { name: "Shopping" },
  NewComment: { taskId: ids.task, body: "There is some left." },
  CommentPatch: { body: "There is none left." },
  NewSpace: { name: "Family" },
  SpacePatch: { name: "Our family" },
  MemberPatch: { role: "admin" },
  NewInvitation: { role: "member", maxUses: 5 },
  Acceptance: { token: "ti_AZejsVLHfQ" },
  Batch: {
    changes: [
      { type: "task", id: ids.task, kind: "create", body: { title: "Buy milk" } },
      { type: "task", id: ids.other, kind: "patch", expected: 3, body: { status: "done" } },
    ],
  },
  Registration: { email: "ada@example.com", password, name: "Ada" },
  MeChange: { name: "Ada Lovelace" },
  User: { id: ids.user, email: "ada@example.com", name: "Ada", createdAt: instant },
  UserName: { id: ids.user, name: "Ada" },
  NewApiToken: { name: "Nightly export", scopes: ["tasks:read"] },
  PasswordGrant: { username: "ada@example.com", password, grant_type: "password" },
  Space: {
    ...{ id: ids.space, spaceId: ids.space, name: "Family" },
    ...{ creatorId: ids.user, version: 1, createdAt: instant, updatedAt: instant },
  },
  FactChange: {
    ...{ type: "task", id: ids.task, version: 1, kind: "created" },
    fields: { title: { from: null, to: "Buy milk" } },
  },
  Operation: { id: ids.operation, status: "pending" },
  FieldChanges: { title: { from: null, to: "Buy milk" } },
  Column: columns[0],
  Jwks: {
    keys: [{ kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "1", use: "sig" }],
  },
};

export const headerExamples: Readonly<Record<RequestHeader | AnswerHeader, string | number>> = {
  Authorization: "Bearer tt_Yx3kQ",
  "Content-Type": "application/json",
  "If-Match": '"3"',
  "If-None-Match": '"3"',
  "Idempotency-Key": "0197a3c9-77aa-7f00-8a11-0b1c2d3e4f50",
  "Consistency-Token": "0-1042",
  "X-Request-Id": "b7c1f0de-52d2-4f64-9a5c-3d1f0c9be2a7",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: "vendor=1",
  "X-Token-Delivery": "cookie",
  "Last-Event-ID": `${ids.space}:17`,
  ETag: '"3"',
  Location: `/v1/tasks/${ids.task}`,
  Allow: "GET, HEAD, PATCH, PUT, DELETE",
  Consistency: "stale",
  "Idempotency-Replayed": "true",
  "RateLimit-Policy": '"default";q=1000;w=60',
  RateLimit: '"default";r=993;t=41',
  "Retry-After": 1,
  "WWW-Authenticate": 'Bearer error="invalid_token"',
};

/** A value that the schema takes. `name`: of the property or parameter. */
export function exampleOf(schema: Schema, schemas: Schemas, name = ""): unknown {
  const {
    $ref,
    anyOf,
    enum: values,
    type,
    format,
    items,
    properties,
    additionalProperties,
  } = schema as {
    $ref?: string;
    anyOf?: Schema[];
    enum?: unknown[];
    type?: string | string[];
    format?: string;
    items?: Schema;
    properties?: Record<string, Schema>;
    additionalProperties?: Schema | boolean;
  };
  if ($ref !== undefined) {
    const model = $ref.split("/").at(-1) ?? "";
    return byModel[model] ?? exampleOf(schemas[model] as Schema, schemas, name);
  }
  if ("const" in schema) return schema.const;
  if ("default" in schema && schema.default !== null && type !== "array") return schema.default;
  const [own] = [type].flat();
  const known = byName[name];
  if (values !== undefined) return values.includes(known) ? known : values[0];
  if (known !== undefined && kindOf(known) === own) return known;
  if (anyOf !== undefined) return exampleOf(anyOf[0] as Schema, schemas, name);
  if (own === "array") return [exampleOf(items ?? {}, schemas, name)];
  if (own === "object") {
    const entries = Object.entries(properties ?? {}).map(([each, inner]) => [each, exampleOf(inner, schemas, each)]);
    const isRecord = properties === undefined && typeof additionalProperties === "object";
    return isRecord ? { key: exampleOf(additionalProperties, schemas) } : Object.fromEntries(entries);
  }
  if (own === "string") return textOf(format);
  if (own === "boolean") return true;
  return own === "integer" || own === "number" ? (schema.minimum ?? 1) : null;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "number" ? "integer" : typeof value;
}

function textOf(format: string | undefined): string {
  if (format === "uuid") return ids.task;
  if (format === "date-time") return instant;
  return format === "date" ? instant.slice(0, 10) : "text";
}

/** A problem as an answer has it. */
export function problemExample(code: ProblemCode): Record<string, unknown> {
  const { status, title, about } = problems[code];
  const errors =
    code === "validation"
      ? [{ path: "/title", message: "is required" }]
      : code === "invalid-reference"
        ? [{ path: "/projectId", message: "must be a project of the space" }]
        : undefined;
  return {
    type: `/problems/${code}`,
    ...{ title, status, detail: about, instance: `/v1/tasks/${ids.task}`, code },
    requestId: headerExamples["X-Request-Id"],
    ...(errors === undefined ? {} : { errors }),
  };
}
