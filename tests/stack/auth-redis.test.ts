/** Quick revocation: the auth role tells Redis what has ended, and does its work just as well without. */
import { afterAll, expect, test } from "bun:test";
import { followRevocations } from "../../actors/auth-client/revocation-feed-redis.ts";
import { call, person } from "../system/client.ts";
import { faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, start } from "../system/server.ts";
import { describeWith, service } from "../system/services.ts";

const sha256 = (text: string) => new Bun.CryptoHasher("sha256").update(text).digest("hex");

describeWith("quick revocation through Redis", [await service("REDIS_URL")], ({ url: redisUrl }) => {
  const heard = new Set<string>();
  const feed = followRevocations({ url: redisUrl }, (ended) => {
    for (const { hash } of ended) heard.add(hash);
  });
  afterAll(async () => {
    feed.close();
    await cleanUp();
  });

  test("what ends is heard at once; with Redis away it ends all the same, and nobody waits", async () => {
    const proxy = await faultProxy(Number(new URL(redisUrl).port));
    const there = new URL(redisUrl);
    there.hostname = "127.0.0.1";
    there.port = String(proxy.port);
    const { url, admin, end } = await start({ env: { ROLE: "auth", REDIS_URL: there.href } });
    const signOut = async (): Promise<string> => {
      const who = await person(url);
      const { body } = await who.call<{ sid: string }>("POST", "/v1/auth/verify", {
        body: { token: who.tokens.accessToken },
      });
      const began = performance.now();
      expect((await who.call("POST", "/v1/auth/logout")).status).toBe(204);
      expect(performance.now() - began).toBeLessThan(10_000);
      expect((await who.call("GET", "/v1/auth/me")).status).toBe(401);
      return sha256(body.sid);
    };
    const isHeard = async () => {
      const hash = await signOut();
      const told = poll("it is heard", 500, () => heard.has(hash), 2);
      return await told.then(
        () => true,
        () => false,
      );
    };
    await poll("sign-outs are heard", 60_000, isHeard);
    for (const mode of ["refuse", "stall"] as const) {
      await proxy.mode(mode);
      await signOut();
      await poll("it is degraded and ready", 60_000, async () => {
        const { status, text } = await call(admin, "GET", "/readyz");
        return status === 200 && text.includes('"status":"degraded"');
      });
      await proxy.mode("pass");
      await poll("sign-outs are heard again", 60_000, isHeard);
    }
    expect((await end("SIGTERM")).code).toBe(0);
    await proxy.close();
  }, 120_000);
});
