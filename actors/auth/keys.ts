/** The Ed25519 key that signs access tokens: made at the first start of all, kept in the store. */
import { createHash, createHmac, createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { KeySet } from "./messages.ts";
import type { Keys, NewKey } from "./ports.ts";

export type SigningKey = {
  kid: string;
  privateKey: KeyObject;
  jwks: KeySet;
  /** For `successorOf`: of the same life, and in none of the tables as it is. */
  refreshKey: Buffer;
};

/** RFC 7638: SHA-256 over the required members in lexicographic order (RFC 8037 for OKP), as base64url. */
function thumbprint(jwk: { crv: string; kty: string; x: string }): string {
  return createHash("sha256")
    .update(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x }))
    .digest("base64url");
}

export function makeKey(): NewKey {
  const { x = "", d } = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
  const kind = { kty: "OKP", crv: "Ed25519", x };
  return { kid: thumbprint(kind), privateJwk: JSON.stringify({ ...kind, d }) };
}

/** The newest key, durable before it is first used. */
export async function signingKey(keys: Keys, nowMs: number): Promise<SigningKey> {
  const { kid, privateJwk } = await keys.newest(makeKey, nowMs);
  const { kty, crv, x, d } = JSON.parse(privateJwk) as { kty: string; crv: string; x: string; d: string };
  return {
    kid,
    privateKey: createPrivateKey({ key: JSON.parse(privateJwk), format: "jwk" }),
    jwks: { keys: [{ kid, kty, crv, x, alg: "EdDSA", use: "sig" }] },
    refreshKey: createHmac("sha256", Buffer.from(d, "base64url")).update("refresh tokens").digest(),
  };
}
