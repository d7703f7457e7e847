/** What is answered while another program holds a file of one process for writing, for longer than a thread may be still. */
import { Database } from "bun:sqlite";
import { afterAll, afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import { expectProblem, type Person, person } from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, type System, start } from "./system/server.ts";
import { newSpace, ok } from "./system/spaces.ts";

const deadlineMs = 60_000;
/** A thread that is still for 3 s is taken for hung, which the log tells. */
const heldMs = 5_000;
const hung = '"event":"actor-hung"';

let system: System;
let ada: Person;
beforeEach(async () => {
  system = await start({ env: { TT_WEBHOOK_ALLOW: "127.0.0.1" } });
  ada = await person(system.url);
}, deadlineMs);
afterEach(async () => {
  expect((await system.end("SIGTERM")).code).toBe(0);
}, deadlineMs);
afterAll(cleanUp);

/** Asks again and again while the file is held: at least so long. */
async function whileHeld(name: string, ask: () => Promise<void>): Promise<void> {
  const file = new Database(join(system.dataDir, name));
  file.run("BEGIN IMMEDIATE");
  for (const untilMs = performance.now() + heldMs; performance.now() < untilMs; ) await ask();
  file.run("ROLLBACK");
  file.close();
}

test(
  "tasks.db: changes are 503 and reads go on, the log names the file, and the writer goes on by itself",
  async () => {
    const { id } = (await ok(ada, 201, "POST", "/v1/tasks", { title: "One" })).body;
    await whileHeld("tasks.db", async () => {
      expectProblem(await ada.call("PATCH", `/v1/tasks/${id}`, { body: { title: "Two" } }), 503, "log-unavailable");
      await ok(ada, 200, "GET", `/v1/tasks/${id}`);
    });
    await ok(ada, 200, "PATCH", `/v1/tasks/${id}`, { title: "Three" });
    expect(system.stderr()).toMatch(/"event":"commit-failed".*"step":"commit to tasks.db".*database is locked/);
    expect(system.stderr()).not.toContain(hung);
  },
  3 * deadlineMs,
);

test(
  "webhooks.db: each route that asks the courier is 503, and the same request again is the one that counts",
  async () => {
    const spaceId = await newSpace(ada);
    const { id } = (await ok(ada, 201, "POST", `/v1/spaces/${spaceId}/webhooks`, { url: "http://127.0.0.1:9" })).body;
    const path = `/v1/spaces/${spaceId}/webhooks/${id}`;
    const replay = (key: string) =>
      ada.call("POST", `${path}/replay`, { body: { from: 1 }, headers: { "idempotency-key": key } });
    const routes = {
      deliveries: () => ada.call("GET", `${path}/deliveries`),
      resume: () => ada.call("POST", `${path}/resume`),
      skip: () => ada.call("POST", `${path}/skip`),
      replay: () => replay("counts"),
      test: () => ada.call("POST", `${path}/test`),
    };
    const refused = new Set<string>();
    await whileHeld("webhooks.db", async () => {
      // Several that wait for the file: whoever asks behind them waits for as long.
      const holding = [0, 1].map((number) => replay(`holds-${number}`));
      for (const [route, reply] of await Promise.all(
        Object.entries(routes).map(async ([route, ask]) => [route, await ask()] as const),
      )) {
        if (reply.status === 200) continue;
        expectProblem(reply, 503, "overloaded");
        expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
        refused.add(route);
      }
      await Promise.all(holding);
    });
    expect([...refused].sort()).toEqual(Object.keys(routes).sort());

    await poll("it answers", deadlineMs, async () => (await routes.deliveries()).status === 200);
    expect((await replay("counts")).status).toBe(200);
    expect((await replay("counts")).headers.get("idempotency-replayed")).toBe("true");
    expect(system.stderr()).toMatch(/"event":"deliveries-wait".*database is locked/);
    expect(system.stderr()).not.toContain(hung);
  },
  3 * deadlineMs,
);
