import { expect, test } from "bun:test";
import { allSpaceRoutes } from "../task/all-space-routes.ts";
import { parseIfMatch } from "../task/conditions.ts";
import { commonRoutes } from "./common-routes.ts";
import { docsPage, docsPolicy } from "./docs-page.ts";
import { documentRoutes } from "./document-routes.ts";
import { requestHeaders } from "./header-names.ts";
import { healthRoute } from "./health-route.ts";
import { merged, type OpenApi, openApi } from "./openapi.ts";
import { rootSite } from "./site.ts";

const own = [...allSpaceRoutes({ site: rootSite } as never), healthRoute(() => Promise.resolve(), Date.now)];
const routes = [...own, ...documentRoutes(own, rootSite), ...commonRoutes];
const document = openApi(routes);
type Parameter = { name: string; schema: { pattern?: string; description?: string } };
type Operation = {
  operationId: string;
  parameters: { name: string; in: string }[];
  responses: Record<string, { $ref?: string; headers?: object; content?: object }>;
  requestBody?: object;
  security: object[];
  deprecated?: boolean;
};
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation: operation as Operation })),
);

const responseOf = (path: string, method: string, status: string) =>
  (document.paths[path]?.[method] as Operation | undefined)?.responses[status];

test("every route and every alias is there once, under an id of its own, and always the same", () => {
  const expected = routes
    .filter(({ isUnlisted }) => isUnlisted !== true)
    .flatMap(({ method, path, aliases = [] }) =>
      [path, ...aliases].map((each) => `${method.toLowerCase()} ${each.replace(/:(\w+)/g, "{$1}")}`),
    );
  expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(expected.sort());
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain("createTaskAlias1");
  expect(openApi(routes)).toEqual(document);
});

test("every reference leads somewhere, and no model is left without a name", () => {
  const text = JSON.stringify(document);
  for (const [, path = ""] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = path.split("/").reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], document);
    expect(target, path).toBeDefined();
  }
  expect(Object.keys(document.components.schemas).sort()).toEqual([
    "Acceptance",
    "Batch",
    "BatchAnswer",
    "Comment",
    "CommentPatch",
    "CreatedInvitation",
    "Fact",
    "HistoryEntry",
    "Invitation",
    "Member",
    "MemberPatch",
    "NewComment",
    "NewInvitation",
    "NewProject",
    "NewSpace",
    "NewTask",
    "Operation",
    "Problem",
    "Project",
    "ProjectPatch",
    "ProjectReplacement",
    "Space",
    "SpacePatch",
    "Task",
    "TaskPatch",
    "TaskReplacement",
  ]);
  expect(text).not.toContain('"$id"');
  expect(text).not.toContain('"blank"');
});

test("path parameters are declared, and an alias differs in its name and age only", () => {
  for (const { path, operation } of operations) {
    const declared = operation.parameters.filter((each) => each.in === "path").map(({ name }) => name);
    expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string));
  }
  const [own, alias] = ["/v1/tasks/{id}", "/tasks/{id}"].map((path) => document.paths[path]?.patch as Operation);
  expect({ ...alias, operationId: own?.operationId, deprecated: undefined } as object).toEqual({
    ...own,
    deprecated: undefined,
  } as object);
});

test("each operation tells the failures that its kind can have", () => {
  for (const { path, method, operation } of operations) {
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
  const parameters = document.paths["/v1/tasks/{id}"] as Record<string, { parameters: Parameter[] }>;
  const forms = Object.fromEntries(
    ["patch", "get"]
      .flatMap((method) => parameters[method]?.parameters ?? [])
      .map(({ name, schema }) => [name, schema]),
  );
  const takes = (name: string, value: string) => new RegExp(forms[name]?.pattern ?? "$^", "u").test(value);
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
  expect(forms["Consistency-Token"]).toBeDefined();
  expect(forms["Consistency-Token"]?.pattern).toBeUndefined();
  for (const { name } of Object.values(parameters).flatMap((each) => each.parameters ?? []))
    if (name in requestHeaders)
      expect(forms[name]?.description).toBe(requestHeaders[name as keyof typeof requestHeaders]);
});

test("failures tell the headers that come with them: limits where a user asks, the place in the log where the writer refuses", () => {
  const headers = (path: string, method: string, status: string) =>
    Object.keys(responseOf(path, method, status)?.headers ?? {}).slice(1);
  const limits = ["RateLimit-Policy", "RateLimit"];
  for (const status of ["404", "412", "422"])
    expect(headers("/v1/tasks/{id}", "patch", status)).toEqual([
      ...limits,
      "Consistency-Token",
      "Idempotency-Replayed",
    ]);
  expect(headers("/v1/tasks/{id}", "patch", "413")).toEqual(limits);
  expect(headers("/tasks/{id}", "get", "404")).toEqual(limits);
  expect(headers("/tasks/{id}", "get", "304")).toEqual([...limits, "ETag", "Consistency"]);
  expect(headers("/tasks/{id}", "get", "503")).toEqual(["Retry-After", ...limits]);
  for (const { operation } of operations) expect(operation.responses["405"]?.$ref).toEndWith("/method-not-allowed");
  expect(responseOf("/problems/{code}", "get", "404")?.$ref).toEndWith("/not-found");
});

test("an answer names its media type, and an answer that may be a failure too has both", () => {
  const content = (path: string, status: string) => Object.keys(responseOf(path, "get", status)?.content ?? {});
  expect(content("/docs", "200")).toEqual(["text/html"]);
  expect(content("/health", "200")).toEqual(["application/json"]);
  expect(content("/health", "503")).toEqual(["application/json", "application/problem+json"]);
});

test("two roles' documents become one, with both roles' models", () => {
  const other: OpenApi = {
    ...document,
    paths: { "/x": { get: {} } },
    components: { ...document.components, schemas: { Other: {} } },
  };
  const both = merged(document, other);
  expect(Object.keys(both.paths)).toContain("/x");
  expect(Object.keys(both.components.schemas)).toEqual(expect.arrayContaining(["Other", "Task"]));
});

test("the page shows every operation and model, fetches nothing and runs nothing", () => {
  const page = docsPage(document);
  for (const { path } of operations) expect(page).toContain(path);
  for (const name of Object.keys(document.components.schemas)) expect(page).toContain(`id="${name}"`);
  expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\(|https?:\/\//);
  expect(docsPolicy).toMatch(/^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]+'; frame-ancestors 'none'$/);
  const hostile = docsPage({ ...document, info: { ...document.info, title: "<script>alert(1)</script>" } });
  expect(hostile).not.toContain("<script>");
});
