/** What the log says of servers that are away: which, where, what for and why; and never what is secret. */
import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { poll } from "./system/poll.ts";
import type { Runtime } from "./system/runtimes.ts";
import { cleanUp, freePort, launch, temporaryFolder } from "./system/server.ts";

afterAll(cleanUp);
const runtimes: readonly Runtime[] = ["bun", "deno"];
const secret = "hunter2secret";

type Line = { level: string; event: string; server?: string; address?: string; step?: string; reason?: string };

describe.each(runtimes)("with all servers away on %s", (runtime) => {
  test("each outage names the server, its address, the step and the reason, and no secret is told anywhere", async () => {
    const [port, adminPort, postgres, mongo, redis, kafka, collector] = await Promise.all(
      Array.from({ length: 7 }, () => freePort()),
    );
    const { child, texts, exited } = launch(
      {
        PORT: `${port}`,
        ADMIN_PORT: `${adminPort}`,
        DATA_DIR: join(temporaryFolder(), "unused"),
        LOG_LEVEL: "debug",
        DATABASE_URL: `postgres://tracker:${secret}@127.0.0.1:${postgres}/tracker`,
        MONGO_URL: `mongodb://tracker:${secret}@127.0.0.1:${mongo}/tracker?authSource=admin`,
        REDIS_URL: `redis://tracker:${secret}@127.0.0.1:${redis}`,
        KAFKA_BROKERS: `127.0.0.1:${kafka}`,
        KAFKA_USERNAME: "tracker",
        KAFKA_PASSWORD: secret,
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector}`,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${secret}`,
      },
      { runtime },
    );
    const admin = `http://127.0.0.1:${adminPort}`;
    const lines = () =>
      texts.stderr
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Line);
    const away = (server: string) => lines().filter((line) => line.event === "server-away" && line.server === server);
    const addresses = {
      postgresql: postgres,
      mongodb: mongo,
      redis,
      kafka,
      collector,
    };
    await poll("it answers", 60_000, () =>
      fetch(`${admin}/livez`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    await poll(
      "each that is away is told of",
      60_000,
      async () => {
        // So that there is a span to send.
        await fetch(`http://127.0.0.1:${port}/v1/tasks`).catch(() => undefined);
        return Object.keys(addresses).every((server) => away(server).length > 0);
      },
      250,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${texts.stderr}`);
    });
    for (const [server, itsPort] of Object.entries(addresses)) {
      for (const { address, step = "", reason = "" } of away(server)) {
        expect(address).toBe(`127.0.0.1:${itsPort}`);
        expect(step.length, step).toBeGreaterThan(3);
        // A word of the system or of the driver, and not only a kind of error.
        expect(reason, server).toMatch(/refused|connect|not connected|no answer|timed out|late/i);
      }
    }
    const pages = await Promise.all(
      ["/readyz", "/metrics", "/tree"].map(async (path) => (await fetch(admin + path)).text()),
    );
    child.kill("SIGTERM");
    expect((await exited).code).toBe(0);
    for (const text of [texts.stderr, texts.stdout, ...pages]) expect(text).not.toContain(secret);
    expect(lines().filter(({ reason }) => reason === "unknown" || reason === "")).toEqual([]);
  }, 180_000);
});
