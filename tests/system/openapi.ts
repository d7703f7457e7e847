/** What the published document says the server has: routes in it are held to the contract, routes of later releases are not asked for. */
import { expect } from "bun:test";
import { call } from "./client.ts";

export type Operation = {
  operationId?: string;
  security?: unknown[];
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, unknown>;
};
export type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, unknown> };
};
export type PublishedRoute = { method: string; template: string; operation: Operation };

const methods = ["get", "post", "put", "patch", "delete"];

/** The routes of the contract and those of the aliases. */
export async function published(
  url: string,
): Promise<{ document: Document; routes: PublishedRoute[]; has(method: string, template: string): boolean }> {
  const [contract, aliases] = await Promise.all([
    call<Document>(url, "GET", "/v1/openapi.json"),
    call<Document>(url, "GET", "/v1/openapi-aliases.json"),
  ]);
  expect([contract.status, aliases.status]).toEqual([200, 200]);
  const routes = [contract.body, aliases.body].flatMap(({ paths }) =>
    Object.entries(paths).flatMap(([template, item]) =>
      Object.entries(item)
        .filter(([method]) => methods.includes(method))
        .map(([method, operation]) => ({ method: method.toUpperCase(), template, operation })),
    ),
  );
  return {
    document: contract.body,
    routes,
    has: (method, template) => routes.some((route) => route.method === method && route.template === template),
  };
}

/** Whether it answers with a stream that does not end. */
export function isStream({ operation }: PublishedRoute): boolean {
  return JSON.stringify(operation.responses).includes("text/event-stream");
}

/** A path of the template with a fresh id in each parameter, in the caller's own space. */
export function fill(template: string): string {
  return template
    .replace(/\{code\}/g, "not-found")
    .replace(/\{spaceId\}/g, "me")
    .replace(/\{[^}]+\}/g, () => crypto.randomUUID());
}
