/** A role's routes as OpenAPI 3.1 documents (https://spec.openapis.org/oas/v3.1.0): the contract, and the compatibility aliases beside it. */
import type { TSchema } from "@sinclair/typebox";
import { type ProblemCode, problems } from "../model/problem.ts";
import {
  type AnswerHeader,
  answerHeaders,
  type RequestHeader,
  requestHeaderForms,
  requestHeaders,
} from "./header-names.ts";
import { exampleOf, headerExamples, problemExample } from "./openapi-examples.ts";
import { publishedSchema, type Schema, type Schemas } from "./openapi-schemas.ts";
import { introduction, pathParameters, tags } from "./openapi-words.ts";
import { ProblemModel } from "./problem-models.ts";
import type { Route } from "./route.ts";

type Components = Record<"schemas" | "responses" | "headers" | "examples" | "securitySchemes", Record<string, unknown>>;

export type OpenApi = {
  openapi: "3.1.0";
  info: { title: string; version: string; summary: string; description: string; license: object; contact: object };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, unknown>>;
  components: Components;
};

/** The contract, or the aliases: other addresses of the same, for clients of other servers. */
export type Part = "contract" | "aliases";

/** Problems that any route may answer, and those that any route with a user, with a body, or that writes may. */
const always: readonly ProblemCode[] = ["not-found", "method-not-allowed", "validation", "internal", "overloaded"];
const withUser: readonly ProblemCode[] = ["unauthenticated", "forbidden", "rate-limited", "users-unavailable"];
const withBody: readonly ProblemCode[] = ["malformed-json", "body-too-large", "unsupported-media-type"];
const withWrite: readonly ProblemCode[] = ["malformed-header"];

/** `url` is what the paths come behind; it is the root unless given. */
export function openApi(
  routes: readonly Route[],
  { url = "/", part = "contract" }: { url?: string; part?: Part } = {},
): OpenApi {
  const schemas: Schemas = {};
  const responses: Record<string, unknown> = {};
  publishedSchema(ProblemModel, schemas);
  const paths: OpenApi["paths"] = {};
  for (const route of routes.filter(({ isUnlisted }) => isUnlisted !== true)) {
    for (const [index, path] of [route.path, ...(route.aliases ?? [])].entries()) {
      const isAlias = index > 0 || route.isAlias === true;
      if (isAlias !== (part === "aliases")) continue;
      const entry = (paths[path.replace(/:([a-z]+)/gi, "{$1}")] ??= {});
      entry[route.method.toLowerCase()] = operation(route, { number: index, isAlias }, { schemas, responses });
    }
  }
  const codes = Object.keys(problems) as ProblemCode[];
  return withUsed({
    openapi: "3.1.0",
    info: {
      title: part === "contract" ? "Task Tracker" : "Task Tracker: compatibility aliases",
      version: "1",
      summary:
        part === "contract" ? "Tasks of people and teams, over HTTP" : "Further addresses of the same operations",
      description:
        part === "contract"
          ? introduction
          : "Addresses that clients of other servers expect. Each does what the operation of the contract does; new clients use that one.",
      license: { name: "MIT", identifier: "MIT" },
      contact: { name: "The operator of this server" },
    },
    servers: [{ url }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      responses,
      headers: Object.fromEntries(Object.keys(answerHeaders).map((name) => [name, headerOf(name as AnswerHeader)])),
      examples: Object.fromEntries(
        codes.map((code) => [code, { summary: problems[code].title, value: problemExample(code) }]),
      ),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An access token, or an API token (`tt_...`)" },
      },
    },
  });
}

/** Both roles' documents as one: what the public port serves. */
export function merged(one: OpenApi, other: OpenApi): OpenApi {
  const components = Object.fromEntries(
    Object.entries(one.components).map(([kind, own]) => [
      kind,
      { ...other.components[kind as keyof Components], ...own },
    ]),
  ) as Components;
  const used = new Set([...one.tags, ...other.tags].map(({ name }) => name));
  const known = Object.entries(tags).filter(([name]) => used.has(name));
  return {
    ...one,
    tags: known.map(([name, description]) => ({ name, description })),
    paths: { ...other.paths, ...one.paths },
    components,
  };
}

/** Without the components and tags that no operation names. */
function withUsed(document: OpenApi): OpenApi {
  const { components } = document;
  const used = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, kind = "", name = ""] of JSON.stringify(value).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)) {
      if (used.has(`${kind}/${name}`)) continue;
      used.add(`${kind}/${name}`);
      visit(components[kind as keyof Components][name]);
    }
  };
  visit(document.paths);
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods)) as { tags: string[] }[];
  const isUsed = (kind: string, name: string) => kind === "securitySchemes" || used.has(`${kind}/${name}`);
  return {
    ...document,
    tags: document.tags.filter(({ name }) => operations.some((each) => each.tags.includes(name))),
    components: Object.fromEntries(
      Object.entries(components).map(([kind, all]) => [
        kind,
        Object.fromEntries(Object.entries(all).filter(([name]) => isUsed(kind, name))),
      ]),
    ) as Components,
  };
}

/** `number` is 0 for the route's own path, else that of the alias. */
function operation(
  route: Route,
  { number, isAlias }: { number: number; isAlias: boolean },
  { schemas, responses: shared }: { schemas: Schemas; responses: Record<string, unknown> },
): Record<string, unknown> {
  const responses = failures(route, shared);
  for (const [status, { description, schema, type = "application/json", headers = [] }] of Object.entries(
    route.answers,
  )) {
    const content = schema === undefined ? {} : { [type]: mediaOf(schema, schemas) };
    const failed = status in responses ? problemContent(problemsOf(route, Number(status))) : {};
    responses[status] = {
      description,
      headers: headersNamed(["X-Request-Id", ...(route.auth === "user" ? limitHeaders : []), ...headers]),
      ...(schema === undefined ? {} : { content: { ...content, ...failed } }),
    };
  }
  const { body } = route;
  return {
    operationId: number === 0 ? route.id : `${route.id}Alias${number}`,
    summary: route.summary,
    description: `${route.description ?? `${route.summary}.`}${scopeNote(route)}`,
    tags: [route.tag],
    ...(isAlias ? { deprecated: true } : {}),
    security: route.auth === "user" ? [{ bearer: [] }] : [],
    parameters: parameters(route, schemas),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.isOptional === undefined,
            content: Object.fromEntries(body.types.map((type) => [type, mediaOf(body.schema, schemas)])),
          },
        }),
    responses,
  };
}

function scopeNote({ scope }: Route): string {
  return scope === undefined ? "" : ` An API token needs the scope \`${scope}\`.`;
}

function mediaOf(model: TSchema, schemas: Schemas): Record<string, unknown> {
  const schema = publishedSchema(model, schemas);
  const example = model.examples?.[0] ?? exampleOf(schema, schemas);
  return { schema, example };
}

function parameters(route: Route, schemas: Schemas): unknown[] {
  const inPath = [...route.path.matchAll(/:([a-z]+)/gi)].map(([, name = ""]) => ({
    name,
    in: "path",
    required: true,
    ...(pathParameters[name] ?? { description: `The ${name}`, schema: { type: "string" }, example: "text" }),
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, { schema, repeatable }]) => {
    const { description, ...own } = publishedSchema(schema, schemas) as Schema & { description?: string };
    const example = exampleOf(own, schemas, name);
    return {
      name,
      in: "query",
      required: false,
      description: description ?? `The ${name}`,
      schema: repeatable === true ? { type: "array", items: own } : own,
      example: repeatable === true ? [example] : example,
      ...(repeatable === true ? { style: "form", explode: true } : {}),
    };
  });
  const inHeader = (route.headers ?? []).map((name) => ({
    name,
    in: "header",
    required: false,
    description: requestHeaders[name],
    schema: { type: "string", ...formOf(name) },
    example: headerExamples[name],
  }));
  return [...inPath, ...inQuery, ...inHeader];
}

function formOf(name: RequestHeader): { pattern?: string } {
  const forms: Partial<Record<RequestHeader, string>> = requestHeaderForms;
  const pattern = forms[name];
  return pattern === undefined ? {} : { pattern };
}

function codesOf(route: Route): ProblemCode[] {
  const codes = [
    ...always,
    ...(route.auth === "user" ? withUser : []),
    ...(route.body === undefined ? [] : withBody),
    ...(route.method === "GET" ? [] : withWrite),
    ...route.problems,
  ];
  return [...new Set(codes)];
}

function problemsOf(route: Route, status: number): ProblemCode[] {
  return codesOf(route).filter((code) => problems[code].status === status);
}

/** One answer per status; where several codes share it, their problems are alternatives. Most routes share the same few. */
function failures(route: Route, shared: Record<string, unknown>): Record<string, unknown> {
  const statuses = new Set(codesOf(route).map((code) => problems[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => {
      const codes = problemsOf(route, status);
      const headers = failureHeaders(route, status);
      const name = [
        codes.toSorted().join("_"),
        ...(headers.includes("RateLimit") ? ["limits"] : []),
        ...(headers.includes(replayed) ? ["logged"] : []),
      ].join(".");
      shared[name] ??= problemResponse(codes, headers);
      return [status, { $ref: `#/components/responses/${name}` }];
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

function problemContent(codes: readonly ProblemCode[]): Record<string, unknown> {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]));
  return { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" }, examples } };
}

/** Of codes of one status. */
function problemResponse(codes: readonly ProblemCode[], headers: readonly AnswerHeader[] = []): unknown {
  const [first = "internal"] = codes;
  return {
    description: codes.length === 1 ? problems[first].about : codes.map((code) => `\`${code}\``).join(", "),
    headers: headersNamed(["X-Request-Id", ...(problemHeaders[problems[first].status] ?? []), ...headers]),
    content: problemContent(codes),
  };
}

function headersNamed(names: readonly AnswerHeader[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function headerOf(name: AnswerHeader): unknown {
  const example = headerExamples[name];
  const schema = typeof example === "number" ? { type: "integer", minimum: 0 } : { type: "string" };
  return { description: answerHeaders[name], schema, example };
}
