import { expect, test } from "bun:test";
import { generateKeyPairSync, sign as signBytes } from "node:crypto";
import { jwt } from "@elysiajs/jwt";
import { verifier } from "./access-tokens.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const { x = "" } = publicKey.export({ format: "jwk" });
const names = { issuer: "i", audience: "a" };
const jwks = { keys: [{ kid: "k", kty: "OKP", crv: "Ed25519", x, alg: "EdDSA", use: "sig" }] };
const signer = jwt({ name: "jwt", secret: privateKey, alg: "EdDSA", typ: "at+jwt", kid: "k", iss: "i", aud: "a" })
  .decorator.jwt;
const nowMs = Date.now();
const nowS = Math.floor(nowMs / 1000);
const userId = "019b0000-0000-7000-8000-000000000001";
const sessionId = "019b0000-0000-7000-8000-000000000002";
const sign = (lifeS: number) => signer.sign({ sub: userId, sid: sessionId, jti: "j", exp: nowS + lifeS });
/** Signed by the real key, whatever it says. */
const signed = (claims: object) => {
  const coded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const own = { iss: "i", aud: "a", sub: userId, sid: sessionId, jti: "j", iat: nowS, exp: nowS + 600 };
  const text = `${coded({ alg: "EdDSA", typ: "at+jwt", kid: "k" })}.${coded({ ...own, ...claims })}`;
  return `${text}.${signBytes(null, Buffer.from(text), privateKey).toString("base64url")}`;
};

test("a verified token is answered without a promise for 30 s, then checked again", async () => {
  const verify = verifier({ jwks, ...names });
  const token = await sign(600);
  const first = verify(token, nowMs);
  expect(first).toBeInstanceOf(Promise);
  expect(verify(token, nowMs)).toBe(first);
  expect(await first).toMatchObject({ userId, sessionId });
  expect(verify(token, nowMs + 30_000)).toMatchObject({ userId, sessionId });
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

const odd: [string, object, boolean][] = [
  ["as ours are", {}, true],
  ["made by a clock that is a minute ahead", { iat: nowS + 60, exp: nowS + 660 }, true],
  ["made further in the future", { iat: nowS + 62, exp: nowS + 600 }, false],
  ["made in the far future", { iat: nowS + 3_600, exp: nowS + 4_200 }, false],
  ["that lives longer than ours do", { exp: nowS + 661 }, false],
  ["made long ago for very long", { iat: 1, exp: nowS + 600 }, false],
  ["that ends before it was made", { iat: nowS + 30, exp: nowS + 20 }, false],
  ["without the time it was made", { iat: undefined }, false],
  ["made at a text", { iat: `${nowS}` }, false],
  ["made at a fraction", { iat: nowS + 0.5 }, false],
  ["that ends at a fraction", { exp: nowS + 0.5 }, false],
  ["that is not valid yet", { nbf: nowS + 3_600 }, false],
  ["with a claim of no meaning to us", { scope: "all" }, true],
  ["of nobody", { sub: undefined }, false],
  ["of a name instead of an id", { sub: "ada" }, false],
  ["of an id in capitals", { sub: userId.toUpperCase() }, false],
  ["of a number", { sub: 7 }, false],
  ["without a session", { sid: undefined }, false],
  ["of a session that is no id", { sid: "s" }, false],
  ["without an id of its own", { jti: undefined }, false],
  ["with an empty id of its own", { jti: "" }, false],
  ["for us among others", { aud: ["a", "b"] }, false],
  ["for us in a list", { aud: ["a"] }, false],
  ["for nobody", { aud: undefined }, false],
  ["of an issuer in a list", { iss: ["i"] }, false],
  ["of no issuer", { iss: undefined }, false],
];
test.each(odd)("a token signed by the real key, %s", async (_name, claims, isGood) => {
  expect((await verifier({ jwks, ...names })(signed(claims), nowMs)) !== undefined).toBe(isGood);
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
