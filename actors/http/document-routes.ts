/** `GET /v1/openapi.json`, `GET /v1/openapi-aliases.json` and `GET /docs`: the contract as this server keeps it. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import { Problem } from "../model/problem.ts";
import { commonRoutes } from "./common-routes.ts";
import { docsPage, docsPolicy, root } from "./docs-page.ts";
import { merged, type OpenApi, openApi, type Part } from "./openapi.ts";
import type { Route } from "./route.ts";
import type { Site } from "./site.ts";
import { pathOf } from "./target.ts";

const Document: TSchema = t.Object(
  { openapi: t.String({ description: "The version of OpenAPI" }), paths: t.Object({}, { description: "By path" }) },
  { examples: [{ openapi: "3.1.0", paths: {} }], description: "An OpenAPI document" },
);
const Page = t.String({ examples: ["<!doctype html>"] });

/** Where a person who opens the address is led, where there is no page. */
export function rootRoute(site: Site): Route {
  return {
    method: "GET",
    path: "/",
    id: "root",
    summary: "Leads to the documentation",
    tag: "Meta",
    auth: "none",
    isUnlisted: true,
    answers: { 303: { description: "The documentation", headers: ["Location"] } },
    problems: [],
    handle: () => ({ status: 303, headers: { location: `${site.url}/docs` } }),
  };
}

const contractPath = "/v1/openapi.json";
const aliasesPath = "/v1/openapi-aliases.json";

/** The routes of the documents; `other` fetches the other role's document of a path where there is one, and is asked until it answers once. */
export function documentRoutes(
  own: readonly Route[],
  site: Site,
  other?: (path: string) => Promise<Response>,
): Route[] {
  let made: { contract: string; aliases: string; page: string } | undefined;

  async function documents() {
    if (made !== undefined) return made;
    const contract = await whole("contract", contractPath);
    const aliases = await whole("aliases", aliasesPath);
    made = {
      contract: JSON.stringify(contract),
      aliases: JSON.stringify(aliases),
      page: docsPage(contract, aliases),
    };
    return made;
  }

  async function whole(part: Part, path: string): Promise<OpenApi> {
    const mine = openApi([...own, ...routes, ...commonRoutes], { url: site.url === "" ? "/" : site.url, part });
    if (other === undefined) return mine;
    const answer = await other(path);
    if (answer.status !== 200)
      throw new Problem(
        "users-unavailable",
        "Half of the document is with a role that does not answer now; retry soon.",
      );
    return merged(mine, (await answer.json()) as OpenApi);
  }

  const routes: Route[] = [
    {
      method: "GET",
      path: contractPath,
      id: "openApi",
      summary: "This contract as an OpenAPI 3.1 document",
      description: "Each operation of this server with its parameters, bodies, answers and problems.",
      tag: "Meta",
      auth: "none",
      answers: { 200: { description: "The document", schema: Document } },
      problems: ["users-unavailable"],
      handle: async () => ({ status: 200, json: (await documents()).contract }),
    },
    {
      method: "GET",
      path: aliasesPath,
      id: "openApiAliases",
      summary: "The compatibility aliases as an OpenAPI 3.1 document",
      description: "Further addresses of operations of the contract, for clients of other servers.",
      tag: "Meta",
      auth: "none",
      answers: { 200: { description: "The document", schema: Document } },
      problems: ["users-unavailable"],
      handle: async () => ({ status: 200, json: (await documents()).aliases }),
    },
    {
      method: "GET",
      path: "/docs",
      id: "docs",
      summary: "This contract as a page",
      description: "For people: each operation with its models and examples, and a form to try it. It works offline.",
      tag: "Meta",
      auth: "none",
      answers: {
        200: { description: "An HTML page that needs nothing from elsewhere", schema: Page, type: "text/html" },
      },
      problems: ["users-unavailable"],
      handle: async ({ request }) => ({
        status: 200,
        // Its links are relative, so that they hold below any path.
        json: (await documents()).page.replaceAll(root, pathOf(request.url).endsWith("/") ? "../" : "./"),
        headers: { "content-type": "text/html; charset=utf-8", "content-security-policy": docsPolicy },
      }),
    },
  ];
  return routes;
}
