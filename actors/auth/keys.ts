/** The Ed25519 key that signs access tokens: made at the first start, kept in the database file (mode 0600). */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../sqlite-file.ts";
import type { KeySet } from "./messages.ts";

export type SigningKey = { kid: string; privateKey: KeyObject; jwks: KeySet };

/** RFC 7638: SHA-256 over the required members in lexicographic order (RFC 8037 for OKP), as base64url. */
export function thumbprint(jwk: { crv: string; kty: string; x: string }): string {
  return createHash("sha256")
    .update(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x }))
    .digest("base64url");
}

/** The newest key, durable before it is first used; two processes that start at once agree on one. */
export function signingKey(db: DatabaseSync, nowMs: number): SigningKey {
  const stored = transaction(db, () => {
    const find = db.prepare("SELECT private_jwk FROM keys ORDER BY created_ms DESC LIMIT 1");
    const found = find.get() as { private_jwk: string } | undefined;
    if (found) return found.private_jwk;
    const made = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" });
    const text = JSON.stringify({ kty: "OKP", crv: "Ed25519", x: made.x, d: made.d });
    db.prepare("INSERT INTO keys (kid, private_jwk, created_ms) VALUES (?, ?, ?)").run(
      thumbprint(publicPart(text)),
      text,
      nowMs,
    );
    return text;
  });
  const { crv, kty, x } = publicPart(stored);
  const kid = thumbprint({ crv, kty, x });
  return {
    kid,
    privateKey: createPrivateKey({ key: JSON.parse(stored), format: "jwk" }),
    jwks: { keys: [{ kid, kty, crv, x, alg: "EdDSA", use: "sig" }] },
  };
}

function publicPart(text: string): { crv: string; kty: string; x: string } {
  return JSON.parse(text) as { crv: string; kty: string; x: string };
}
