/** Signs access tokens (RFC 9068: `typ: at+jwt`). The verifying half is http/access-tokens.ts, which every role uses. */
import { randomUUID } from "node:crypto";
import { jwt } from "@elysiajs/jwt";
import type { SigningKey } from "./keys.ts";
import { accessTokenMs } from "./messages.ts";

export type SignAccessToken = (of: { userId: string; sessionId: string; nowMs: number }) => Promise<string>;

export function accessTokenSigner(key: SigningKey, claims: { issuer: string; audience: string }): SignAccessToken {
  const signer = jwt({
    name: "jwt",
    secret: key.privateKey,
    alg: "EdDSA",
    typ: "at+jwt",
    kid: key.kid,
    iss: claims.issuer,
    aud: claims.audience,
  }).decorator.jwt;
  return ({ userId, sessionId, nowMs }) =>
    signer.sign({ sub: userId, sid: sessionId, jti: randomUUID(), exp: Math.floor((nowMs + accessTokenMs) / 1000) });
}
