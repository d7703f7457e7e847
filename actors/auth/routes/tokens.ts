/** The routes of API tokens. */
import type { Route } from "../../http/route.ts";
import { instantMs, toInstant } from "../../model/instant.ts";
import { type ApiTokenService, defaultScopes } from "../api-tokens.ts";
import { answer, body, signed, tag, takes } from "../call.ts";
import * as model from "../models.ts";
import type { ApiTokenRecord } from "../ports.ts";

function shown({ id, name, scopes, createdMs, expiresMs }: ApiTokenRecord) {
  return {
    id,
    name,
    scopes,
    createdAt: toInstant(createdMs),
    expiresAt: expiresMs === null ? null : toInstant(expiresMs),
  };
}

export function tokenRoutes(service: ApiTokenService): Route[] {
  return [
    {
      method: "POST",
      path: "/v1/auth/tokens",
      id: "makeApiToken",
      summary: "Make an API token; its secret is shown once",
      description:
        "For programs. It goes on after a password change, until it expires or is deleted; without `scopes` it reads and writes tasks. An account has at most 100.",
      tag,
      auth: "user",
      body: takes(model.NewApiToken),
      faults: (call) => {
        const { expiresAt } = body<{ expiresAt?: unknown }>(call);
        const expiresMs = typeof expiresAt === "string" ? instantMs(expiresAt) : undefined;
        return expiresMs !== undefined && service.isOver(expiresMs)
          ? [{ path: "/expiresAt", message: "must be in the future" }]
          : [];
      },
      answers: { 201: { description: "The token with its secret", schema: model.ApiTokenMade } },
      problems: ["unauthenticated", "forbidden", "conflict", "users-unavailable"],
      handle: async (call) => {
        const { userId } = signed(call);
        const { name, expiresAt, scopes = [...defaultScopes] } = body<model.NewApiToken>(call);
        const expiresMs = expiresAt === undefined ? null : (instantMs(expiresAt) ?? null);
        const { secret, token } = await service.make({ userId, name, expiresMs, scopes });
        return answer(201, { ...shown(token), token: secret });
      },
    },
    {
      method: "GET",
      path: "/v1/auth/tokens",
      id: "listApiTokens",
      summary: "The account's API tokens, oldest first",
      description: "Their secrets were shown once and are not kept.",
      tag,
      auth: "user",
      answers: { 200: { description: "Tokens without their secrets", schema: model.ApiTokenList } },
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async (call) => answer(200, { items: (await service.ofUser(signed(call).userId)).map(shown) }),
    },
    {
      method: "DELETE",
      path: "/v1/auth/tokens/:id",
      id: "deleteApiToken",
      summary: "Delete an API token; it is refused from then on",
      description: "Within a second everywhere.",
      tag,
      auth: "user",
      answers: { 204: { description: "Done" } },
      problems: ["unauthenticated", "forbidden", "not-found", "users-unavailable"],
      handle: async (call) => {
        await service.remove(signed(call).userId, call.params.id ?? "");
        return { status: 204 };
      },
    },
  ];
}
