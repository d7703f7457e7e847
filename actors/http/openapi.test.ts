import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { authRoutes } from "../auth/routes/routes.ts";
import { parseIfMatch } from "../task/conditions.ts";
import { allSpaceRoutes } from "../task/routes.ts";
import { commonRoutes } from "./common-routes.ts";
import { docsPage, docsPolicy } from "./docs-page.ts";
import { documentRoutes } from "./document-routes.ts";
import { answerHeaders, requestHeaders } from "./header-names.ts";
import { healthRoute } from "./health-route.ts";
import { merged, type OpenApi, openApi } from "./openapi.ts";
import { pathParameters, tags } from "./openapi-words.ts";
import type { Route } from "./route.ts";
import { rootSite } from "./site.ts";

const parts = { reads: {}, consistent: {}, log: {}, streams: {}, site: rootSite, now: Date.now };
const own: readonly Route[] = [
  ...allSpaceRoutes(parts as never),
  ...authRoutes({ cookie: {}, apiTokens: {}, service: {} } as never),
  healthRoute(() => Promise.resolve(), Date.now),
];
const routes = [...own, ...documentRoutes(own, rootSite), ...commonRoutes];
const contract = openApi(routes);
const aliases = openApi(routes, { part: "aliases" });
const documents = { contract, aliases };
type Schema = { type?: unknown; enum?: unknown[]; pattern?: string; format?: string; description?: string };
type Parameter = { name: string; in: string; description: string; schema: Schema; example?: unknown };
type Media = { schema: Schema; example?: unknown; examples?: object };
type Response = {
  $ref?: string;
  description?: string;
  headers?: Record<string, object>;
  content?: Record<string, Media>;
};
type Operation = {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  parameters: Parameter[];
  responses: Record<string, Response>;
  requestBody?: { content: Record<string, Media> };
  security: object[];
  deprecated?: boolean;
};
const operationsOf = ({ paths }: OpenApi) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
  );
const operations = operationsOf(contract);
const all = [...operations, ...operationsOf(aliases)];

function at(document: OpenApi, reference: string): unknown {
  const [, ...names] = reference.split("/");
  return names.reduce<unknown>((place, name) => (place as Record<string, unknown>)?.[name], document);
}

function responseOf(path: string, method: string, status: string, document = contract): Response | undefined {
  const response = (document.paths[path]?.[method] as Operation | undefined)?.responses[status];
  return response?.$ref === undefined ? response : (at(document, response.$ref) as Response);
}

const parameterOf = (path: string, method: string, name: string): Parameter | undefined =>
  (contract.paths[path]?.[method] as Operation | undefined)?.parameters.find((each) => each.name === name);

test("every route is there once, aliases in a document of their own, under ids of their own, and always the same", () => {
  const listed = routes.filter(({ isUnlisted }) => isUnlisted !== true);
  const named = (method: string, path: string) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`;
  const routesOf = (part: OpenApi) => operationsOf(part).map(({ method, path }) => `${method} ${path}`);
  const isOwn = (route: Route) => route.isAlias !== true;
  expect(routesOf(contract).sort()).toEqual(
    listed
      .filter(isOwn)
      .map(({ method, path }) => named(method, path))
      .sort(),
  );
  expect(routesOf(aliases).sort()).toEqual(
    listed
      .flatMap((route) =>
        [...(isOwn(route) ? [] : [route.path]), ...(route.aliases ?? [])].map((path) => named(route.method, path)),
      )
      .sort(),
  );
  expect(operations.every(({ path }) => /^\/(v1|docs|problems|\.well-known)(\/|$)/.test(path))).toBe(true);
  const ids = all.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain("createTaskAlias1");
  expect(operationsOf(aliases).every(({ operation }) => operation.deprecated === true)).toBe(true);
  expect(operations.some(({ operation }) => operation.deprecated === true)).toBe(false);
  expect(openApi(routes)).toEqual(contract);
});

test.each(Object.entries(documents))(
  "in the %s every reference leads somewhere, and every component is used",
  (_name, document) => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference = ""]) => reference);
    for (const reference of references) expect(at(document, reference), reference).toBeDefined();
    const components = Object.entries(document.components).flatMap(([kind, each]) =>
      kind === "securitySchemes" ? [] : Object.keys(each).map((name) => `#/components/${kind}/${name}`),
    );
    expect(components.filter((name) => !references.includes(name))).toEqual([]);
    expect(/"(\$id|blank|orNull|published)":/.exec(text)).toBeNull();
  },
);

test("every model of an answer or a body has a name", () => {
  for (const { path, method, operation } of all) {
    const medias = [operation.requestBody, ...Object.values(operation.responses)].flatMap((each) =>
      Object.entries(each?.content ?? {}),
    );
    for (const [type, { schema }] of medias)
      if (/[/+]json$/.test(type) && !path.startsWith("/v1/openapi"))
        expect(Object.keys(schema), `${method} ${path}`).toEqual(["$ref"]);
  }
  const names = ["User", "Tokens", "Session", "ApiToken", "Problem", "Task", "TaskPage", "Fact", "Due", "Column"];
  expect(Object.keys(contract.components.schemas)).toEqual(expect.arrayContaining(names));
});

test("every operation, parameter and header is described, and every tag defined", () => {
  const isSentence = (text: string | undefined) => text !== undefined && text.length > 5;
  for (const { path, method, operation } of all) {
    const what = `${method} ${path}`;
    expect([what, isSentence(operation.summary), isSentence(operation.description)]).toEqual([what, true, true]);
    expect(operation.description, `${what} says more than its summary`).not.toBe(`${operation.summary}.`);
    for (const { name, in: place, description, example } of operation.parameters) {
      expect([what, name, isSentence(description), example === undefined]).toEqual([what, name, true, false]);
      if (place === "path") expect(Object.keys(pathParameters)).toContain(name);
      expect(description).not.toBe(`The ${name}`);
    }
    expect(Object.keys(tags)).toContain(operation.tags[0] as string);
  }
  for (const document of Object.values(documents)) {
    const used = new Set(operationsOf(document).flatMap(({ operation }) => operation.tags));
    expect(new Set(document.tags.map(({ name }) => name))).toEqual(used);
  }
  for (const [name, header] of Object.entries(contract.components.headers))
    expect(header).toMatchObject({ description: answerHeaders[name as keyof typeof answerHeaders] });
});

test("queries have the types of their values, choices are enums, and ids have their form", () => {
  const schema = (path: string, method: string, name: string) => parameterOf(path, method, name)?.schema;
  expect(schema("/v1/tasks", "get", "deleted")?.type).toBe("boolean");
  expect(schema("/v1/spaces", "get", "deleted")?.type).toBe("boolean");
  expect(schema("/v1/tasks", "get", "limit")).toMatchObject({ type: "integer", minimum: 1, maximum: 100, default: 50 });
  expect(schema("/v1/spaces/{spaceId}/facts/{seq}", "get", "seq")?.type).toBe("integer");
  expect(schema("/v1/tasks", "get", "sort")?.enum).toContain("-createdAt");
  const { Task } = contract.components.schemas as Record<string, { properties: Record<string, Schema> }>;
  expect(Task?.properties.status).toMatchObject({ type: "string", enum: ["todo", "in_progress", "done", "cancelled"] });
  expect(Task?.properties.estimateMinutes).toMatchObject({ type: ["integer", "null"] });
  expect(contract.components.schemas.FieldChanges).toMatchObject({
    additionalProperties: { $ref: "#/components/schemas/FieldChange" },
  });
  const text = JSON.stringify(documents);
  expect(text).not.toContain('"const":"todo"');
  for (const [schema] of text.matchAll(/\{[^{}]*"format":"uuid"[^{}]*\}/g))
    expect(schema).toContain('"pattern":"^[0-9a-f]{8}-');
});

test("texts have the rules that are enforced as patterns", () => {
  const { NewTask } = contract.components.schemas as Record<string, { properties: Record<string, Schema> }>;
  const takes = (name: string, value: string) => new RegExp(NewTask?.properties[name]?.pattern ?? "$^").test(value);
  expect([takes("title", "a"), takes("title", " a "), takes("title", "é\n")]).toEqual([true, true, true]);
  expect([takes("title", " \t\u3000\u0085"), takes("title", "a\0"), takes("title", "")]).toEqual([false, false, false]);
  expect(takes("title", "\ufeff"), "no White_Space of Unicode's").toBe(true);
  expect([takes("description", ""), takes("description", "\0")]).toEqual([true, false]);
});

test("every body and every answer has an example, and every problem one of its own", () => {
  for (const { path, method, operation } of operations) {
    const what = `${method} ${path}`;
    for (const { example } of Object.values(operation.requestBody?.content ?? {})) expect(example, what).toBeDefined();
    for (const status of Object.keys(operation.responses))
      for (const { example, examples } of Object.values(responseOf(path, method, status)?.content ?? {}))
        expect([what, status, example !== undefined || examples !== undefined]).toEqual([what, status, true]);
  }
  const { value } = contract.components.examples["version-mismatch"] as { value: unknown };
  expect(value).toMatchObject({ code: "version-mismatch", status: 412, type: "/problems/version-mismatch" });
});

test("path parameters are declared, and an alias differs in its name and age only", () => {
  for (const { path, operation } of all) {
    const declared = operation.parameters.filter((each) => each.in === "path").map(({ name }) => name);
    expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string));
  }
  const [one, other] = [contract.paths["/v1/tasks/{id}"]?.patch, aliases.paths["/tasks/{id}"]?.patch] as Operation[];
  expect({ ...other, operationId: one?.operationId, deprecated: undefined } as object).toEqual({
    ...one,
    deprecated: undefined,
  } as object);
});

test("each operation tells the failures that its kind can have", () => {
  for (const { path, method, operation } of all) {
    const statuses = Object.keys(operation.responses);
    const expected = [
      "404",
      "405",
      "422",
      "500",
      "503",
      ...(operation.security.length > 0 ? ["401", "403", "429"] : []),
      ...(operation.requestBody === undefined ? [] : ["400", "413", "415"]),
      ...(method === "get" ? [] : ["400"]),
    ];
    expect(statuses, `${method} ${path}`).toEqual(expect.arrayContaining(expected));
    expect(statuses.some((status) => status < "400")).toBe(true);
  }
});

test("headers that are refused in another form have their form in the document", () => {
  const ofPath = contract.paths["/v1/tasks/{id}"] as Record<string, Operation>;
  const parameters = ["patch", "get"].flatMap((method) => ofPath[method]?.parameters ?? []);
  const forms = Object.fromEntries(parameters.map((each) => [each.name, each]));
  const takes = (name: string, value: string) => new RegExp(forms[name]?.schema.pattern ?? "$^", "u").test(value);
  for (const good of ["*", '"1"', 'W/"1", "2"', '"a","b"']) {
    expect([good, takes("If-Match", good)]).toEqual([good, true]);
    expect(() => parseIfMatch(good)).not.toThrow();
  }
  for (const bad of ["", "1", '"1', "**", '"1" "2"']) {
    expect([bad, takes("If-Match", bad)]).toEqual([bad, false]);
    expect(() => parseIfMatch(bad)).toThrow();
  }
  expect([takes("Idempotency-Key", "a"), takes("Idempotency-Key", ""), takes("Idempotency-Key", "a b")]).toEqual([
    true,
    false,
    false,
  ]);
  const login = (contract.paths["/v1/auth/login"] as Record<string, Operation>).post?.parameters ?? [];
  const delivery = login.find(({ name }) => name === "X-Token-Delivery")?.schema.pattern;
  expect(["cookie", "", "body"].map((value) => new RegExp(delivery ?? "$^", "u").test(value))).toEqual([
    true,
    false,
    false,
  ]);
  expect(forms["Consistency-Token"]).toBeDefined();
  expect(forms["Consistency-Token"]?.schema.pattern).toBeUndefined();
  for (const { name, description } of parameters)
    if (name in requestHeaders) expect(description).toBe(requestHeaders[name as keyof typeof requestHeaders]);
});

test("failures tell the headers that come with them: limits where a user asks, the place in the log where the writer refuses", () => {
  const headers = (path: string, method: string, status: string, document = contract) =>
    Object.keys(responseOf(path, method, status, document)?.headers ?? {}).slice(1);
  const limits = ["RateLimit-Policy", "RateLimit"];
  for (const status of ["404", "412", "422"])
    expect(headers("/v1/tasks/{id}", "patch", status)).toEqual([
      ...limits,
      "Consistency-Token",
      "Idempotency-Replayed",
    ]);
  expect(headers("/v1/tasks/{id}", "patch", "413")).toEqual(limits);
  expect(headers("/tasks/{id}", "get", "404", aliases)).toEqual(limits);
  expect(headers("/v1/tasks/{id}", "get", "304")).toEqual([...limits, "ETag", "Consistency"]);
  expect(headers("/v1/tasks/{id}", "get", "503")).toEqual(["Retry-After", ...limits]);
  for (const { operation } of all) expect(operation.responses["405"]?.$ref).toEndWith("/method-not-allowed");
  expect((contract.paths["/problems/{code}"]?.get as Operation | undefined)?.responses["404"]?.$ref).toEndWith(
    "/not-found",
  );
});

test("an answer names its media type, and an answer that may be a failure too has both", () => {
  const content = (path: string, status: string, document = contract) =>
    Object.keys(responseOf(path, "get", status, document)?.content ?? {});
  expect(content("/docs", "200")).toEqual(["text/html"]);
  expect(content("/health", "200", aliases)).toEqual(["application/json"]);
  expect(content("/health", "503", aliases)).toEqual(["application/json", "application/problem+json"]);
});

test("two roles' documents become one, with both roles' models and tags", () => {
  const other: OpenApi = {
    ...contract,
    tags: [{ name: "Meta", description: "" }],
    paths: { "/x": { get: {} } },
    components: { ...contract.components, schemas: { Other: {} } },
  };
  const both = merged({ ...contract, tags: [{ name: "Tasks", description: "" }] }, other);
  expect(Object.keys(both.paths)).toContain("/x");
  expect(Object.keys(both.components.schemas)).toEqual(expect.arrayContaining(["Other", "Task"]));
  expect(both.tags.map(({ name }) => name)).toEqual(["Tasks", "Meta"]);
});

test("the page shows every operation, parameter and model under an anchor, and each of its links leads to one", () => {
  const page = docsPage(contract, aliases);
  const anchors = [...page.matchAll(/ id="([^"]+)"/g)].map(([, anchor = ""]) => anchor);
  expect(new Set(anchors).size).toBe(anchors.length);
  for (const { path } of all) expect(page).toContain(path);
  for (const { operation } of operations) expect(anchors).toContain(operation.operationId);
  for (const name of Object.keys(contract.components.schemas)) expect(anchors).toContain(name);
  const links = [...page.matchAll(/href="#([^"]+)"/g)].map(([, anchor = ""]) => anchor);
  expect(links.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
  for (const shown of [
    '<a href="#Due">Due</a> or null',
    "text (1 to 500)",
    "&quot;in_progress&quot;",
    "<strong>Retries.</strong>",
  ])
    expect(page).toContain(shown);
});

test("the page fetches nothing and runs one script, and only what its policy names by hash", () => {
  const page = docsPage(contract, aliases);
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page).not.toMatch(/<link|<img|src=|@import|url\(| on[a-z]+=|style=/);
  const hashed = (tag: string) => {
    const [, text = ""] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(page) ?? [];
    return `${tag}-src 'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  };
  const rest = ["connect-src 'self'", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'"];
  expect(docsPolicy.split("; ")).toEqual(["default-src 'none'", hashed("script"), hashed("style"), ...rest]);
  const hostile = docsPage({ ...contract, info: { ...contract.info, title: "<script>alert(1)</script>" } }, aliases);
  expect(hostile.match(/<script/g)).toHaveLength(1);
});
