/** `GET /v1/openapi.json` and `GET /docs`: the contract as this server keeps it. */
import { Type as t } from "@sinclair/typebox";
import { Problem } from "../model/problem.ts";
import { commonRoutes } from "./common-routes.ts";
import { docsPage, docsPolicy, root } from "./docs-page.ts";
import { merged, type OpenApi, openApi } from "./openapi.ts";
import type { Route } from "./route.ts";
import type { Site } from "./site.ts";
import { pathOf } from "./target.ts";

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

/** The routes of both documents; `other` fetches the other role's document where there is one, and is asked until it answers once. */
export function documentRoutes(own: readonly Route[], site: Site, other?: () => Promise<Response>): Route[] {
  let made: { json: string; page: string } | undefined;

  async function documents(): Promise<{ json: string; page: string }> {
    if (made !== undefined) return made;
    const document = await whole();
    made = { json: JSON.stringify(document), page: docsPage(document) };
    return made;
  }

  async function whole(): Promise<OpenApi> {
    const mine = openApi([...own, ...routes, ...commonRoutes], site.url === "" ? "/" : site.url);
    if (other === undefined) return mine;
    const answer = await other();
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
      path: "/v1/openapi.json",
      id: "openApi",
      summary: "This contract as an OpenAPI 3.1 document",
      tag: "Meta",
      auth: "none",
      answers: { 200: { description: "The document", schema: t.Object({}) } },
      problems: ["users-unavailable"],
      handle: async () => ({ status: 200, json: (await documents()).json }),
    },
    {
      method: "GET",
      path: "/docs",
      id: "docs",
      summary: "This contract as a page",
      tag: "Meta",
      auth: "none",
      answers: {
        200: { description: "An HTML page that needs nothing from elsewhere", schema: t.String(), type: "text/html" },
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
