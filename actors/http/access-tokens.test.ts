import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { jwt } from "@elysiajs/jwt";
import { verifier } from "./access-tokens.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const { x = "" } = publicKey.export({ format: "jwk" });
const names = { issuer: "i", audience: "a" };
const jwks = { keys: [{ kid: "k", kty: "OKP", crv: "Ed25519", x, alg: "EdDSA", use: "sig" }] };
const signer = jwt({ name: "jwt", secret: privateKey, alg: "EdDSA", typ: "at+jwt", kid: "k", iss: "i", aud: "a" })
  .decorator.jwt;
const nowMs = Date.now();
const sign = (lifeS: number) => signer.sign({ sub: "u", sid: "s", jti: "j", exp: Math.floor(nowMs / 1000) + lifeS });

test("a verified token is answered without a promise for 30 s, then checked again", async () => {
  const verify = verifier({ jwks, ...names });
  const token = await sign(600);
  const first = verify(token, nowMs);
  expect(first).toBeInstanceOf(Promise);
  expect(verify(token, nowMs)).toBe(first);
  expect(await first).toMatchObject({ userId: "u", sessionId: "s" });
  expect(verify(token, nowMs + 30_000)).toMatchObject({ userId: "u", sessionId: "s" });
  expect(verify(token, nowMs + 30_001)).toBeInstanceOf(Promise);
});

test("a remembered token is refused once it has run out", async () => {
  const verify = verifier({ jwks, ...names });
  const token = await sign(10);
  expect(await verify(token, nowMs)).toBeDefined();
  expect(await verify(token, nowMs + 10_000)).toBeUndefined();
});

test("a token is refused when its key is not in the set, and when it is longer than any of ours", async () => {
  expect(await verifier({ jwks: { keys: [] }, ...names })(await sign(600), nowMs)).toBeUndefined();
  expect(verifier({ jwks, ...names })("x".repeat(3_000), nowMs)).toBeUndefined();
});

test("a token counts as it is written: no other character at its end and no white space will do", async () => {
  const verify = verifier({ jwks, ...names });
  const token = await sign(600);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const others = [...letters].map((letter) => token.slice(0, -1) + letter).filter((other) => other !== token);
  const spaced = [`${token} `, `${token}\n`, `${token.slice(0, -3)}\n${token.slice(-3)}`, `${token}=`];
  for (const other of [...others, ...spaced]) expect(await verify(other, nowMs), other).toBeUndefined();
  expect(await verify(token, nowMs)).toBeDefined();
});
