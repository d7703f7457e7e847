/** A role's routes as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.0). */
import type { TSchema } from "@sinclair/typebox";
import { type ProblemCode, problems } from "../model/problem.ts";
import {
  type AnswerHeader,
  answerHeaders,
  type RequestHeader,
  requestHeaderForms,
  requestHeaders,
} from "./header-names.ts";
import type { Route } from "./route.ts";

export type OpenApi = {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, unknown>>;
  components: {
    schemas: Record<string, unknown>;
    responses: Record<string, unknown>;
    securitySchemes: Record<string, unknown>;
  };
};

/** Problems that any route may answer, and those that any route with a user, with a body, or that writes may. */
const always: readonly ProblemCode[] = ["not-found", "method-not-allowed", "validation", "internal", "overloaded"];
const withUser: readonly ProblemCode[] = ["unauthenticated", "forbidden", "rate-limited", "users-unavailable"];
const withBody: readonly ProblemCode[] = ["malformed-json", "body-too-large", "unsupported-media-type"];
const withWrite: readonly ProblemCode[] = ["malformed-header"];

/** `serverUrl` is what the paths come behind; it is the root unless given. */
export function openApi(routes: readonly Route[], serverUrl = "/"): OpenApi {
  const schemas: Record<string, unknown> = { Problem: problemSchema };
  const paths: OpenApi["paths"] = {};
  for (const route of routes.filter(({ isUnlisted }) => isUnlisted !== true)) {
    for (const [index, path] of [route.path, ...(route.aliases ?? [])].entries()) {
      const entry = (paths[path.replace(/:([a-z]+)/gi, "{$1}")] ??= {});
      entry[route.method.toLowerCase()] = operation(route, index, schemas);
    }
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Task Tracker",
      version: "1",
      description:
        "Every answer carries X-Request-Id. Failures are RFC 9457 problem details with a `code` from a closed list. Texts are well-formed Unicode without NUL; their lengths count code points.",
    },
    servers: [{ url: serverUrl }],
    paths,
    components: {
      schemas,
      responses: Object.fromEntries(
        Object.entries(problems).map(([code, { about, status }]) => [code, problemResponse(status, about)]),
      ),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An access token, or an API token (`tt_...`)" },
      },
    },
  };
}

/** Both roles' documents as one: what the public port serves. */
export function merged(one: OpenApi, other: OpenApi): OpenApi {
  return {
    ...one,
    paths: { ...other.paths, ...one.paths },
    components: { ...one.components, schemas: { ...other.components.schemas, ...one.components.schemas } },
  };
}

/** `alias` is 0 for the route's own path, else the number of the alias. */
function operation(route: Route, alias: number, schemas: Record<string, unknown>): Record<string, unknown> {
  const responses = failures(route);
  for (const [status, { description, schema, type = "application/json", headers = [] }] of Object.entries(
    route.answers,
  )) {
    const content = schema === undefined ? {} : { [type]: { schema: reference(schema, schemas) } };
    const failed = status in responses ? problemContent : {};
    responses[status] = {
      description,
      headers: headersNamed(["X-Request-Id", ...(route.auth === "user" ? limitHeaders : []), ...headers]),
      ...(schema === undefined ? {} : { content: { ...content, ...failed } }),
    };
  }
  return {
    operationId: alias === 0 ? route.id : `${route.id}Alias${alias}`,
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    tags: [route.tag],
    ...(alias === 0 ? {} : { deprecated: true }),
    security: route.auth === "user" ? [{ bearer: [] }] : [],
    parameters: parameters(route),
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.body.isOptional !== true,
            content: Object.fromEntries(
              route.body.types.map((type) => [type, { schema: reference(route.body?.schema as TSchema, schemas) }]),
            ),
          },
        }),
    responses,
  };
}

function parameters(route: Route): unknown[] {
  const inPath = [...route.path.matchAll(/:([a-z]+)/gi)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: name === "id" ? { type: "string", format: "uuid" } : { type: "string" },
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, { schema, repeatable }]) => ({
    name,
    in: "query",
    required: false,
    schema: repeatable === true ? { type: "array", items: schema } : schema,
    ...(repeatable === true ? { style: "form", explode: true } : {}),
  }));
  const inHeader = (route.headers ?? []).map((name) => ({
    name,
    in: "header",
    required: false,
    schema: { type: "string", description: requestHeaders[name], ...formOf(name) },
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function formOf(name: RequestHeader): { pattern?: string } {
  const forms: Partial<Record<RequestHeader, string>> = requestHeaderForms;
  const pattern = forms[name];
  return pattern === undefined ? {} : { pattern };
}

/** One answer per status; where several codes share it, their problems are alternatives. */
function failures(route: Route): Record<string, unknown> {
  const codes = new Set([
    ...always,
    ...(route.auth === "user" ? withUser : []),
    ...(route.body === undefined ? [] : withBody),
    ...(route.method === "GET" ? [] : withWrite),
    ...route.problems,
  ]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of codes) byStatus.set(problems[code].status, [...(byStatus.get(problems[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, [first, ...others]]) => {
      const headers = failureHeaders(route, status);
      if (others.length === 0 && headers.length === 0) return [status, { $ref: `#/components/responses/${first}` }];
      const codes = [first, ...others].map((code) => `\`${code}\``).join(", ");
      return [status, problemResponse(status, codes, headers)];
    }),
  );
}

/** What the answers of this route tell with a failure, too: the limits of the user, and of what the writer refused where it stands in the log. */
function failureHeaders(route: Route, status: number): AnswerHeader[] {
  const isLogged = Object.values(route.answers).some(({ headers }) => headers?.includes(replayed));
  return [
    ...(route.auth === "user" && status !== 405 ? limitHeaders : []),
    ...(isLogged && refusals.includes(status) ? (["Consistency-Token", replayed] as const) : []),
  ];
}

/** A model with an id stands once under `components`. */
function reference(schema: TSchema, schemas: Record<string, unknown>): unknown {
  if (typeof schema.$ref === "string") return { $ref: `#/components/schemas/${schema.$ref}` };
  const { blank, orNull: _orNull, ...keywords } = schema;
  const inner = Object.fromEntries(Object.entries(keywords).map(([name, value]) => [name, within(value, schemas)]));
  // JSON Schema has no word for Unicode's white space.
  if (blank === false) inner.description ??= "Not only white space";
  if (schema.$id === undefined) return inner;
  const { $id, ...named } = inner;
  schemas[String($id)] = named;
  return { $ref: `#/components/schemas/${$id}` };
}

function within(value: unknown, schemas: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((item) => within(item, schemas));
  return typeof value === "object" && value !== null ? reference(value as TSchema, schemas) : value;
}

const problemSchema = {
  type: "object",
  required: ["type", "title", "status", "detail", "instance", "code", "requestId"],
  properties: {
    type: { type: "string", description: "/problems/<code>, which explains it" },
    title: { type: "string" },
    status: { type: "integer" },
    detail: { type: "string" },
    instance: { type: "string" },
    code: { type: "string", enum: Object.keys(problems) },
    requestId: { type: "string" },
    errors: {
      type: "array",
      items: {
        type: "object",
        required: ["path", "message"],
        properties: { path: { type: "string" }, message: { type: "string" } },
      },
    },
  },
};

const limitHeaders: readonly AnswerHeader[] = ["RateLimit-Policy", "RateLimit"];
const replayed = "Idempotency-Replayed";
/** Statuses of what the writer refuses. */
const refusals = [404, 409, 412, 422];
/** Headers of problems, by status. */
const problemHeaders: Readonly<Record<number, readonly AnswerHeader[]>> = {
  401: ["WWW-Authenticate"],
  405: ["Allow"],
  429: ["Retry-After", ...limitHeaders],
  503: ["Retry-After"],
};
const problemContent = { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } };

function problemResponse(status: number, description: string, headers: readonly AnswerHeader[] = []): unknown {
  return {
    description,
    headers: headersNamed(["X-Request-Id", ...(problemHeaders[status] ?? []), ...headers]),
    content: problemContent,
  };
}

function headersNamed(names: readonly AnswerHeader[]): Record<string, unknown> {
  return Object.fromEntries(
    names.map((name) => [name, { description: answerHeaders[name], schema: { type: "string" } }]),
  );
}
