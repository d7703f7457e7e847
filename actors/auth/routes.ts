/** Section 2 of the contract (accounts, sessions, keys) and auth's part of section 5, as data over the service. */
import { withDefaults } from "../http/merge-patch.ts";
import type { Answer, Call, Route } from "../http/route.ts";
import { toInstant } from "../model/instant.ts";
import type { ApiTokenService } from "./api-tokens.ts";
import type { Identify } from "./authenticate.ts";
import { answer, body, signed, tag, takes } from "./call.ts";
import type { Ended, KeySet } from "./messages.ts";
import * as model from "./models.ts";
import type { UserRecord } from "./ports.ts";
import { tokenRoutes } from "./routes-tokens.ts";
import type { Granted, Service } from "./service.ts";

const mergePatch = ["application/json", "application/merge-patch+json"];
const form = ["application/x-www-form-urlencoded"];

/** A path's short names: bare, and under `/auth`. */
function short(...names: string[]): string[] {
  return names.flatMap((name) => [name, `/auth${name}`]);
}

function user({ id, email, name, createdMs }: UserRecord) {
  return { id, email, name, createdAt: toInstant(createdMs) };
}

function tokens(granted: Granted) {
  const { accessToken, refreshToken, expiresInS } = granted;
  return { accessToken, tokenType: "Bearer", expiresIn: expiresInS, refreshToken, user: user(granted.user) };
}

const done: Answer = { status: 204 };

export function authRoutes(parts: {
  service: Service;
  apiTokens: ApiTokenService;
  identify: Identify;
  /** Throws `users-unavailable` while they are not known. */
  jwks: () => KeySet;
  claims: { issuer: string; audience: string };
  revoked: () => Promise<Ended[]>;
}): Route[] {
  const { service, identify } = parts;
  const userAgent = ({ request }: Call) => request.headers.get("user-agent") || null;
  const sessionGone = { 204: { description: "Done" } };

  return [
    {
      method: "POST",
      path: "/v1/auth/register",
      aliases: short("/register"),
      id: "register",
      summary: "Make an account and sign in",
      tag,
      auth: "none",
      body: takes(model.Registration),
      answers: { 201: { description: "The account, signed in", schema: model.Tokens } },
      problems: ["email-taken", "overloaded", "users-unavailable"],
      handle: async (call) => {
        const { email, password, name = model.accountDefaults.name } = body<model.Registration>(call);
        return answer(201, tokens(await service.register({ email, password, name, userAgent: userAgent(call) })));
      },
    },
    {
      method: "POST",
      path: "/v1/auth/login",
      aliases: short("/login"),
      id: "login",
      summary: "Sign in",
      tag,
      auth: "none",
      body: takes(model.Credentials),
      answers: { 200: { description: "Signed in", schema: model.Tokens } },
      problems: ["invalid-credentials", "overloaded", "users-unavailable"],
      handle: async (call) => {
        const { email, password } = body<model.Credentials>(call);
        return answer(200, tokens(await service.login({ email, password, userAgent: userAgent(call) })));
      },
    },
    {
      method: "POST",
      path: "/token",
      aliases: ["/auth/token"],
      id: "oauthToken",
      summary: "Sign in by the OAuth 2 password form",
      tag,
      auth: "none",
      body: takes(model.PasswordGrant, form),
      answers: { 200: { description: "Signed in", schema: model.OAuthTokens } },
      problems: ["invalid-credentials", "overloaded", "users-unavailable"],
      handle: async (call) => {
        const { username, password } = body<model.PasswordGrant>(call);
        const { accessToken, refreshToken, expiresInS } = await service.login({
          email: username,
          password,
          userAgent: userAgent(call),
        });
        return answer(200, {
          access_token: accessToken,
          token_type: "Bearer",
          expires_in: expiresInS,
          refresh_token: refreshToken,
        });
      },
    },
    {
      method: "POST",
      path: "/v1/auth/refresh",
      aliases: short("/refresh"),
      id: "refresh",
      summary: "Spend a refresh token for fresh tokens",
      description:
        "A spent token may be sent again for 10 s, in case the answer was lost, and is answered with the same successor; later, or once that one was spent, it ends the session.",
      tag,
      auth: "none",
      body: takes(model.RefreshRequest),
      answers: { 200: { description: "Fresh tokens of the same session", schema: model.Tokens } },
      problems: ["unauthenticated", "token-reused", "users-unavailable"],
      handle: async (call) => answer(200, tokens(await service.refresh(body<model.RefreshRequest>(call).refreshToken))),
    },
    {
      method: "POST",
      path: "/v1/auth/logout",
      aliases: short("/logout"),
      id: "logout",
      summary: "End this session",
      tag,
      auth: "user",
      answers: sessionGone,
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async (call) => {
        await service.logout(signed(call));
        return done;
      },
    },
    {
      method: "POST",
      path: "/v1/auth/logout-all",
      aliases: short("/logout-all"),
      id: "logoutAll",
      summary: "End all sessions of the account",
      tag,
      auth: "user",
      answers: sessionGone,
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async (call) => {
        await service.logoutAll(signed(call).userId);
        return done;
      },
    },
    {
      method: "GET",
      path: "/v1/auth/me",
      aliases: [...short("/users/me"), "/auth/me"],
      id: "me",
      summary: "The account",
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
        await service.erase(signed(call).userId, body<model.Erasure>(call).currentPassword);
        return done;
      },
    },
    {
      method: "POST",
      path: "/v1/auth/password",
      id: "changePassword",
      summary: "Change the password and end all other sessions",
      tag,
      auth: "user",
      body: takes(model.PasswordChange),
      answers: sessionGone,
      problems: ["unauthenticated", "invalid-credentials", "forbidden", "overloaded", "users-unavailable"],
      handle: async (call) => {
        await service.changePassword(signed(call), body<model.PasswordChange>(call));
        return done;
      },
    },
    {
      method: "GET",
      path: "/v1/auth/sessions",
      id: "listSessions",
      summary: "The account's living sessions, oldest first",
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
      method: "POST",
      path: "/v1/auth/verify",
      aliases: short("/verify"),
      id: "verify",
      summary: "Whether a token is good now, and whose it is",
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
