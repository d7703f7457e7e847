/** The port `Revocations` over each adapter, with the side that hears. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Ended, revokedChannel } from "../../actors/auth/messages.ts";
import type { Revocations } from "../../actors/auth/ports.ts";
import { revocationsInRedis } from "../../actors/auth/redis/revocations.ts";
import { revocationsInProcess } from "../../actors/auth/revocations-local.ts";
import { followRevocations } from "../../actors/auth-client/revocation-feed-redis.ts";
import { connectRedis, type RedisConnection } from "../../actors/redis/connect.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";

/** Others may use the same Redis: what they say is none of ours. */
const ours = new Set<unknown>(["x", undefined]);

function ended(count = 1): Ended[] {
  return Array.from({ length: count }, () => {
    const hash = new Bun.CryptoHasher("sha256").update(crypto.randomUUID()).digest("hex");
    ours.add(hash);
    return { hash, untilMs: Date.now() + 60_000 };
  });
}

type Given = { revocations: Revocations; heard: () => Ended[] };

function suite(given: () => Given): void {
  const hears = (those: Ended[]) =>
    poll(
      "it is heard",
      60_000,
      () => {
        const hashes = new Set(
          given()
            .heard()
            .map(({ hash }) => hash),
        );
        return those.every(({ hash }) => hashes.has(hash));
      },
      1,
    );

  test("what is announced is heard, as it is", async () => {
    const those = ended(3);
    await given().revocations.announce(those);
    await hears(those);
    expect(given().heard().slice(-3)).toEqual(those);
  });

  test("nothing and very much can be announced", async () => {
    await given().revocations.announce([]);
    const those = ended(5_000);
    await given().revocations.announce(those);
    await hears(those);
  });
}

describe("revocations in one process", () => {
  const heard: Ended[] = [];
  suite(() => ({ revocations: revocationsInProcess((those) => heard.push(...those)), heard: () => heard }));
});

describeWith("revocations through Redis", [await service("REDIS_URL")], ({ url }) => {
  const heard: Ended[] = [];
  let proxies: { near: FaultProxy; far: FaultProxy };
  let speaker: RedisConnection;
  let direct: RedisConnection;
  let listener: { close(): void };
  const through = (proxy: FaultProxy) => {
    const there = new URL(url);
    there.hostname = "127.0.0.1";
    there.port = String(proxy.port);
    return { url: there.href };
  };

  beforeAll(async () => {
    const port = Number(new URL(url).port);
    proxies = { near: await faultProxy(port), far: await faultProxy(port) };
    direct = connectRedis({ url });
    speaker = connectRedis(through(proxies.near));
    listener = followRevocations(through(proxies.far), (those) => {
      heard.push(...those.filter(({ hash }) => ours.has(hash)));
    });
    await announcedAndHeard();
  });
  afterAll(async () => {
    listener?.close();
    speaker?.close();
    direct?.close();
    await Promise.all([proxies.near.close(), proxies.far.close()]);
  });

  /** Says something new until it is heard; each try ends in time and none is thrown. */
  async function announcedAndHeard(deadlineMs = 60_000): Promise<void> {
    const { announce } = revocationsInRedis(speaker.redis);
    await poll("what is announced is heard", deadlineMs, async () => {
      const those = ended();
      const began = performance.now();
      await announce(those);
      expect(performance.now() - began).toBeLessThan(10_000);
      const until = performance.now() + 100;
      while (performance.now() < until && !heard.some(({ hash }) => hash === those[0]?.hash))
        await new Promise((resolve) => setImmediate(resolve));
      return heard.some(({ hash }) => hash === those[0]?.hash);
    });
  }

  suite(() => ({ revocations: revocationsInRedis(speaker.redis), heard: () => heard }));

  for (const side of ["near", "far"] as const) {
    for (const mode of ["refuse", "cut", "stall", "drop-replies"] as const) {
      test(`${side === "near" ? "who announces" : "who listens"} gets over ${mode}`, async () => {
        const { announce } = revocationsInRedis(speaker.redis);
        await proxies[side].mode(mode);
        for (let count = 0; count < 5; count += 1) {
          const began = performance.now();
          await announce(ended());
          expect(performance.now() - began).toBeLessThan(10_000);
        }
        await proxies[side].mode("pass");
        await announcedAndHeard();
      }, 120_000);
    }
  }

  test("systems of different namespaces do not hear each other", async () => {
    const said = { one: [] as Ended[], two: [] as Ended[] };
    const sides = (["one", "two"] as const).map((name) => {
      const server = { url, namespace: `${process.pid}-${name}.` };
      const { redis, close } = connectRedis(server);
      const follower = followRevocations(server, (those) => said[name].push(...those));
      return { redis, close, follower, revocations: revocationsInRedis(redis), name };
    });
    for (const { revocations, name } of sides)
      await poll("each hears itself", 60_000, async () => {
        await revocations.announce([{ hash: (name === "one" ? "1" : "2").repeat(64), untilMs: 1 }]);
        return said[name].length > 0;
      });
    expect(
      new Set([...said.one.map(({ hash }) => `one ${hash[0]}`), ...said.two.map(({ hash }) => `two ${hash[0]}`)]),
    ).toEqual(new Set(["one 1", "two 2"]));
    for (const { close, follower } of sides) {
      close();
      follower.close();
    }
  });

  test("a slow line is only slow", async () => {
    await proxies.far.mode("slow", { delayMs: 50 });
    await announcedAndHeard();
    await proxies.far.mode("pass");
  });

  test("nonsense on the channel is left out, and what comes after it is heard", async () => {
    const good = ended();
    const before = heard.length;
    const nonsense = [
      "",
      "{",
      "null",
      "{}",
      '["x"]',
      '[{"hash":"x","untilMs":1}]',
      JSON.stringify([{ ...good[0], untilMs: "1" }]),
    ];
    for (const text of [...nonsense, JSON.stringify(good)]) await direct.redis.publish(revokedChannel, text);
    await poll("the good one is heard", 60_000, () => heard.length > before);
    expect(heard.slice(before)).toEqual(good);
  });
});
