/** The routes of signing in and out: what they answer, and how the refresh token comes and goes. */
import type { Client } from "../../http/client.ts";
import type { Answer, Call, Route } from "../../http/route.ts";
import { Problem } from "../../model/problem.ts";
import { answer, body, done, short, signed, tag, takes, user } from "../call.ts";
import * as model from "../models.ts";
import type { RefreshCookie } from "../refresh-cookie.ts";
import type { Granted, Service } from "../service.ts";

const form = ["application/x-www-form-urlencoded"];
const slowed =
  "From the sixth wrong password in a row on, from one network for one account or from one address, there is a growing delay: 429 with `Retry-After`. A wrong `currentPassword` of other routes counts too.";

const byCookie =
  "With `X-Token-Delivery: cookie` the refresh token comes as a cookie (`HttpOnly`, `SameSite=Strict`, of `/v1/auth` only) instead of in the body.";

export function signInRoutes(service: Service, from: (call: Call) => Client, cookie: RefreshCookie): Route[] {
  const delivered: Pick<Route, "headers" | "checkHeaders"> = {
    headers: ["X-Token-Delivery"],
    checkHeaders: (headers) => cookie.checkHeaders(headers),
  };

  /** Tokens in the way in which the caller wants them. */
  function signedIn(call: Call, status: number, granted: Granted): Answer {
    const { accessToken, refreshToken, expiresInS } = granted;
    const isCookie = cookie.isWanted(call.request.headers);
    const told = { accessToken, tokenType: "Bearer", expiresIn: expiresInS };
    const more = { ...(isCookie ? {} : { refreshToken }), user: user(granted.user) };
    const headers = isCookie ? cookie.setting(refreshToken, from(call)) : {};
    return { ...answer(status, { ...told, ...more }), headers };
  }

  /** The session's end, for the cookie too. */
  const signedOut = (call: Call): Answer => ({ ...done, headers: cookie.clearing(call.request.headers, from(call)) });

  const userAgent = ({ request }: Call) => request.headers.get("user-agent") || null;
  const sessionGone = { 204: { description: "Done" } };
  return [
    {
      method: "POST",
      path: "/v1/auth/register",
      aliases: short("/register"),
      id: "register",
      summary: "Make an account and sign in",
      description: `The e-mail is compared without regard to case. The most common passwords are refused. ${byCookie}`,
      tag,
      auth: "none",
      ...delivered,
      body: takes(model.Registration),
      answers: { 201: { description: "The account, signed in", schema: model.Tokens } },
      problems: ["registration-closed", "email-taken", "overloaded", "users-unavailable"],
      handle: async (call) => {
        const { email, password, name = model.accountDefaults.name } = body<model.Registration>(call);
        const of = { email, password, name, userAgent: userAgent(call), from: from(call).address };
        return signedIn(call, 201, await service.register(of));
      },
    },
    {
      method: "POST",
      path: "/v1/auth/login",
      aliases: short("/login"),
      id: "login",
      summary: "Sign in",
      description: `${slowed} ${byCookie}`,
      tag,
      auth: "none",
      ...delivered,
      body: takes(model.Credentials),
      answers: { 200: { description: "Signed in", schema: model.Tokens } },
      problems: ["invalid-credentials", "rate-limited", "overloaded", "users-unavailable"],
      handle: async (call) => {
        const { email, password } = body<model.Credentials>(call);
        const of = { email, password, userAgent: userAgent(call), from: from(call).address };
        return signedIn(call, 200, await service.login(of));
      },
    },
    {
      method: "POST",
      path: "/token",
      aliases: ["/auth/token"],
      id: "oauthToken",
      isAlias: true,
      summary: "Sign in by the OAuth 2 password form",
      description: slowed,
      tag,
      auth: "none",
      body: takes(model.PasswordGrant, form),
      answers: { 200: { description: "Signed in", schema: model.OAuthTokens } },
      problems: ["invalid-credentials", "rate-limited", "overloaded", "users-unavailable"],
      handle: async (call) => {
        const { username, password } = body<model.PasswordGrant>(call);
        const { accessToken, refreshToken, expiresInS } = await service.login({
          email: username,
          password,
          userAgent: userAgent(call),
          from: from(call).address,
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
        "A spent token may be sent again for 10 s, in case the answer was lost, and is answered with the same successor; later, or once that one was spent, it ends the session. " +
        `${byCookie} Then it is also taken from there, unless the body has one: from a page of this server's own \`Origin\` only.`,
      tag,
      auth: "none",
      ...delivered,
      body: { ...takes(model.RefreshRequest), isOptional: (headers) => cookie.isWanted(headers) },
      faults: (call) =>
        cookie.isWanted(call.request.headers) || "refreshToken" in body<model.RefreshRequest>(call)
          ? []
          : [{ path: "/refreshToken", message: "is required" }],
      answers: { 200: { description: "Fresh tokens of the same session", schema: model.Tokens } },
      problems: ["unauthenticated", "token-reused", "forbidden", "users-unavailable"],
      handle: async (call) => {
        const { refreshToken = cookie.tokenIn(call.request.headers, from(call)) } = body<model.RefreshRequest>(call);
        if (refreshToken === undefined) throw new Problem("unauthenticated", "No refresh token came as a cookie.");
        return signedIn(call, 200, await service.refresh(refreshToken));
      },
    },
    {
      method: "POST",
      path: "/v1/auth/logout",
      aliases: short("/logout"),
      id: "logout",
      summary: "End this session",
      description: "Its access tokens are refused within a second, its refresh token at once.",
      tag,
      auth: "user",
      answers: sessionGone,
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async (call) => {
        await service.logout(signed(call));
        return signedOut(call);
      },
    },
    {
      method: "POST",
      path: "/v1/auth/logout-all",
      aliases: short("/logout-all"),
      id: "logoutAll",
      summary: "End all sessions of the account",
      description: "Access tokens of all its sessions are refused within a second. API tokens stay.",
      tag,
      auth: "user",
      answers: sessionGone,
      problems: ["unauthenticated", "forbidden", "users-unavailable"],
      handle: async (call) => {
        await service.logoutAll(signed(call).userId);
        return signedOut(call);
      },
    },
    {
      method: "POST",
      path: "/v1/auth/reset",
      id: "resetPassword",
      summary: "Set a new password by the operator's link, and end all sessions",
      description:
        "The token stands in the fragment of the link that `tracker reset-password` prints. It is good once, for an hour.",
      tag,
      auth: "none",
      body: takes(model.Reset),
      answers: sessionGone,
      problems: ["unauthenticated", "overloaded", "users-unavailable"],
      handle: async (call) => {
        await service.reset({ ...body<model.Reset>(call), from: from(call).address });
        return done;
      },
    },
  ];
}
