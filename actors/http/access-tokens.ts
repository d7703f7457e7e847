/** Verifies access tokens with auth's public keys, in whatever role serves HTTP; no network, and mostly one look in a map. */
import { createHash, createPublicKey } from "node:crypto";
import { jwt } from "@elysiajs/jwt";
import { accessTokenMs, type KeySet } from "../auth/messages.ts";
import { uuidPattern } from "./validate.ts";

export type VerifiedToken = {
  readonly userId: string;
  readonly sessionId: string;
  /** The name by which auth tells that the session has ended. */
  readonly sessionHash: string;
  readonly expMs: number;
};

/** Undefined when the token is not one of ours or out of date. Revocations are the caller's to check, each time. */
export type VerifyToken = (
  token: string,
  nowMs: number,
) => VerifiedToken | undefined | Promise<VerifiedToken | undefined>;

const tokenCharsMax = 2_048;
/** Compact JWS as it is written: the last two bits of a signature of 64 bytes are zero, and the library would overlook others, as it does white space. */
const wellFormed = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/;
/** How far the clock of whoever signed may be ahead of ours. */
const clockToleranceS = 60;
const rememberedMs = 30_000;
const rememberedMax = 10_000;

/** The protected header, undefined when it is no JSON object. */
function headerOf(token: string): Record<string, unknown> | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.slice(0, token.indexOf(".")), "base64url").toString());
    return typeof header === "object" && header !== null ? (header as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

type Claims = { sub: string; sid: string; exp: number };

/** Auth signs nothing else: ids that can be, whole seconds, not made in the future, and not for longer than an access token lives. */
function isOurs(claims: Record<string, unknown>, nowMs: number): claims is Claims {
  const { sub, sid, jti, aud, iat, exp } = claims;
  const areTexts = [sub, sid, jti, aud].every((each) => typeof each === "string");
  if (!areTexts || !uuidPattern.test(sub as string) || !uuidPattern.test(sid as string) || jti === "") return false;
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp)) return false;
  const [issuedS, endS] = [iat as number, exp as number];
  const lifeS = endS - issuedS;
  return issuedS <= nowMs / 1000 + clockToleranceS && lifeS > 0 && lifeS <= accessTokenMs / 1000 + clockToleranceS;
}

/**
 * A verified token is remembered for 30 s (10,000 at most, the oldest go first) and then answered without a promise.
 * Only EdDSA with one of the given keys counts, chosen by `kid`; a key that the token itself brings is never looked at.
 */
export function verifier({ jwks, issuer, audience }: { jwks: KeySet; issuer: string; audience: string }): VerifyToken {
  const keys = new Map(
    jwks.keys.map(({ kid = "", kty = "", crv = "", x = "" }) => {
      const secret = createPublicKey({ key: { kty, crv, x }, format: "jwk" });
      return [kid, jwt({ name: "jwt", secret, alg: "EdDSA" }).decorator.jwt] as const;
    }),
  );
  const remembered = new Map<string, VerifiedToken & { verifiedMs: number }>();
  const underWay = new Map<string, Promise<VerifiedToken | undefined>>();

  async function check(token: string, nowMs: number): Promise<VerifiedToken | undefined> {
    const header = headerOf(token);
    if (header === undefined || header.alg !== "EdDSA" || header.typ !== "at+jwt" || typeof header.kid !== "string")
      return undefined;
    const claims = await keys.get(header.kid)?.verify(token, {
      algorithms: ["EdDSA"],
      typ: "at+jwt",
      issuer,
      audience,
      currentDate: new Date(nowMs),
      requiredClaims: ["sub", "sid", "jti", "iat", "exp"],
    });
    if (!claims || !isOurs(claims, nowMs)) return undefined;
    const { sub: userId, sid: sessionId } = claims;
    const sessionHash = createHash("sha256").update(sessionId).digest("hex");
    const verified = { userId, sessionId, sessionHash, expMs: claims.exp * 1000, verifiedMs: nowMs };
    const oldest = remembered.size >= rememberedMax ? remembered.keys().next().value : undefined;
    if (oldest !== undefined) remembered.delete(oldest);
    remembered.set(token, verified);
    return verified;
  }

  return (token, nowMs) => {
    const known = remembered.get(token);
    if (known !== undefined) {
      if (nowMs < known.expMs && nowMs - known.verifiedMs <= rememberedMs) return known;
      remembered.delete(token);
    }
    if (token.length > tokenCharsMax || !wellFormed.test(token)) return undefined;
    const begun = underWay.get(token);
    if (begun !== undefined) return begun;
    const checking = check(token, nowMs).finally(() => underWay.delete(token));
    underWay.set(token, checking);
    return checking;
  };
}
