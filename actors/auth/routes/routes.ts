/** Section 2 of the contract (accounts, sessions, keys) and auth's part of section 5, as data over the service. */

import type { ClientOf } from "../../http/client.ts";
import { withDefaults } from "../../http/merge-patch.ts";
import type { Call, Route } from "../../http/route.ts";
import { toInstant } from "../../model/instant.ts";
import type { ApiTokenService } from "../api-tokens.ts";
import type { Identify } from "../authenticate.ts";
import { answer, body, done, short, signed, tag, takes, user } from "../call.ts";
import type { Ended, KeySet } from "../messages.ts";
import * as model from "../models.ts";
import type { RefreshCookie } from "../refresh-cookie.ts";
import type { Service } from "../service.ts";
import { signInRoutes } from "./sign-in.ts";
import { tokenRoutes } from "./tokens.ts";

const namedMax = 100;
const mergePatch = ["application/json", "application/merge-patch+json"];

export function authRoutes(parts: {
  service: Service;
  apiTokens: ApiTokenService;
  identify: Identify;
  /** Throws `users-unavailable` while they are not known. */
  jwks: () => KeySet;
  claims: { issuer: string; audience: string };
  clientOf: ClientOf;
  cookie: RefreshCookie;
  revoked: () => Promise<Ended[]>;
}): Route[] {
  const { service, identify } = parts;
  const from = ({ request, peer }: Call) => parts.clientOf(request.headers, peer?.remoteAddress);
  const sessionGone = { 204: { description: "Done" } };

  return [
    ...signInRoutes(service, from, parts.cookie),
    {
      method: "GET",
      path: "/v1/auth/me",
      aliases: [...short("/users/me"), "/auth/me"],
      id: "me",
      summary: "The account",
      description: "Of the user who is signed in: e-mail and name.",
      tag,
      auth: "user",
      answers: { 200: { description: "The account", schema: model.User } },
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async (call) => answer(200, user(await service.me(signed(call).userId))),
    },
    {
      method: "PATCH",
      path: "/v1/auth/me",
      aliases: [...short("/users/me"), "/auth/me"],
      id: "changeMe",
      summary: "Change the account",
      description: "A new e-mail needs `currentPassword`; `null` takes the name away.",
      tag,
      auth: "user",
      body: takes(model.MeChange, mergePatch),
      faults: async (call) => {
        const { email, currentPassword } = body<Record<string, unknown>>(call);
        const needsPassword =
          typeof email === "string" &&
          currentPassword === undefined &&
          (await service.isNewEmail(signed(call).userId, email));
        return needsPassword ? [{ path: "/currentPassword", message: "is required to change the e-mail" }] : [];
      },
      answers: { 200: { description: "The account", schema: model.User } },
      problems: [
        "unauthenticated",
        "invalid-credentials",
        "forbidden",
        "email-taken",
        "overloaded",
        "users-unavailable",
      ],
      handle: async (call) =>
        answer(
          200,
          user(
            await service.changeMe(
              signed(call).userId,
              withDefaults(body<model.MeChange>(call), model.accountDefaults),
              from(call).address,
            ),
          ),
        ),
    },
    {
      method: "DELETE",
      path: "/v1/auth/me",
      aliases: [...short("/users/me"), "/auth/me"],
      id: "eraseMe",
      summary: "Erase the account and all of its tasks",
      description:
        "Its sessions and API tokens end at once and its address is free; its tasks are erased soon after. There is no way back.",
      tag,
      auth: "user",
      body: takes(model.Erasure),
      answers: sessionGone,
      problems: ["unauthenticated", "invalid-credentials", "forbidden", "overloaded", "users-unavailable"],
      handle: async (call) => {
        await service.erase(signed(call).userId, body<model.Erasure>(call).currentPassword, from(call).address);
        return { ...done, headers: parts.cookie.clearing(call.request.headers, from(call)) };
      },
    },
    {
      method: "POST",
      path: "/v1/auth/password",
      id: "changePassword",
      summary: "Change the password and end all other sessions",
      description: "The session that asks stays. API tokens stay, too.",
      tag,
      auth: "user",
      body: takes(model.PasswordChange),
      answers: sessionGone,
      problems: ["unauthenticated", "invalid-credentials", "forbidden", "overloaded", "users-unavailable"],
      handle: async (call) => {
        await service.changePassword(signed(call), body<model.PasswordChange>(call), from(call).address);
        return done;
      },
    },
    {
      method: "GET",
      path: "/v1/auth/sessions",
      id: "listSessions",
      summary: "The account's living sessions, oldest first",
      description: "Each sign-in is one; `current` is the one that asks.",
      tag,
      auth: "user",
      answers: { 200: { description: "Sessions", schema: model.SessionList } },
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async (call) => {
        const { userId, sessionId } = signed(call);
        const items = (await service.sessionsOf(userId)).map(({ id, createdMs, usedMs, userAgent: agent }) => ({
          id,
          createdAt: toInstant(createdMs),
          lastUsedAt: toInstant(usedMs),
          userAgent: agent,
          current: id === sessionId,
        }));
        return answer(200, { items });
      },
    },
    {
      method: "DELETE",
      path: "/v1/auth/sessions/:id",
      id: "endSession",
      summary: "End one session",
      description: "Its access tokens are refused within a second. Ending the current one is the same as logging out.",
      tag,
      auth: "user",
      answers: sessionGone,
      problems: ["unauthenticated", "forbidden", "not-found", "users-unavailable"],
      handle: async (call) => {
        await service.endSession(signed(call).userId, call.params.id ?? "");
        return done;
      },
    },
    ...tokenRoutes(parts.apiTokens),
    {
      method: "GET",
      path: "/v1/users",
      id: "listUserNames",
      summary: "The names of users, by their ids",
      description: `Up to ${namedMax} ids. Who does not exist (any more) is left out.`,
      tag,
      auth: "user",
      scope: "tasks:read",
      query: { id: { schema: { ...model.userId, description: "The id of a user" }, repeatable: true } },
      faults: ({ query }) =>
        query.getAll("id").length > namedMax
          ? [{ path: "/id", message: `must be given at most ${namedMax} times` }]
          : [],
      answers: { 200: { description: "Those that exist, in the order of the ids", schema: model.UserNames } },
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async ({ query }) => {
        const items = (await service.named(query.getAll("id"))).map(({ id, name }) => ({ id, name }));
        return answer(200, { items });
      },
    },
    {
      method: "POST",
      path: "/v1/auth/verify",
      aliases: short("/verify"),
      id: "verify",
      summary: "Whether a token is good now, and whose it is",
      description: "For services that take our tokens. Access tokens and API tokens alike; a bad one is no failure.",
      tag,
      auth: "none",
      body: takes(model.VerifyRequest),
      answers: { 200: { description: "`active` alone when it is not", schema: model.Verification } },
      problems: ["users-unavailable"],
      handle: async (call) => {
        const identity = await identify(body<model.VerifyRequest>(call).token);
        if (identity === undefined) return answer(200, { active: false });
        const { userId, sessionId, scopes, expMs } = identity;
        const exp = expMs === null ? undefined : Math.floor(expMs / 1000);
        return answer(200, { active: true, sub: userId, sid: sessionId, exp, scopes });
      },
    },
    {
      method: "GET",
      path: "/.well-known/jwks.json",
      id: "keys",
      summary: "The public keys of access tokens",
      description: "Access tokens are JWTs signed with Ed25519 (`alg` is `EdDSA`); `kid` names the key.",
      tag,
      auth: "none",
      cacheControl: "public, max-age=300",
      answers: { 200: { description: "RFC 7517 key set", schema: model.Jwks } },
      problems: ["users-unavailable"],
      handle: () => answer(200, parts.jwks()),
    },
    {
      method: "GET",
      path: "/.well-known/revocations.json",
      id: "revocations",
      summary: "What has ended before its time",
      description:
        "Access tokens of these sessions, and these API tokens, are to be refused. For services that verify tokens by the public keys: ask twice a second.",
      tag,
      auth: "none",
      answers: { 200: { description: "All that is still in force", schema: model.Revocations } },
      problems: ["users-unavailable"],
      handle: async () => {
        const { issuer, audience } = parts.claims;
        return answer(200, { issuer, audience, revoked: await parts.revoked() });
      },
    },
  ];
}
