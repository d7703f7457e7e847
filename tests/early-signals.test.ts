/** A process that is asked to end while it starts ends with 0, whenever that is, and leaves nothing that holds up the next start. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { poll } from "./system/poll.ts";
import { random } from "./system/random.ts";
import type { Runtime } from "./system/runtimes.ts";
import { cleanUp, endDeadlineMs, freePort, launch, start, startDeadlineMs, temporaryFolder } from "./system/server.ts";

afterAll(cleanUp);

const tries = 4;
/** Longer than a start takes while the other cases start theirs: the last ones come to a system that is ready. */
const startMs = 1_500;
const [sigint, sigterm] = [1n << 1n, 1n << 14n];

/**
 * Whether the process has taken the signals into its own hands: before its first line the system's default applies. It takes SIGTERM first, and Deno obeys
 * the default for a moment after it has told the system otherwise: once SIGINT is taken too that moment is over. Where the system does not tell: yes.
 */
function isHandling(pid: number): boolean {
  if (process.platform !== "linux") return true;
  const [, caught = "0"] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  const both = sigint | sigterm;
  return (BigInt(`0x${caught}`) & both) === both;
}

const nobody = "127.0.0.1:9";
const roles: Record<string, Record<string, string>> = {
  "everything in one process": {},
  "auth without its database": { ROLE: "auth", DATABASE_URL: `postgres://nobody@${nobody}/none` },
  "tasks without servers": {
    ROLE: "task",
    KAFKA_BROKERS: nobody,
    MONGO_URL: `mongodb://${nobody}/none`,
    AUTH_URL: `http://${nobody}`,
  },
  "the consumer without servers": { ROLE: "consumer", KAFKA_BROKERS: nobody, MONGO_URL: `mongodb://${nobody}/none` },
};
const cases = (["bun", "deno"] as const satisfies readonly Runtime[]).flatMap((runtime) =>
  Object.keys(roles).map((role) => [runtime, role] as const),
);

// Side by side: a start waits for its disk, and its end for connections, most of the time.
test.concurrent.each(cases)(
  "%s, %s: a signal at any moment of the start ends it with 0",
  async (runtime, role) => {
    const choose = random(1);
    const dataDir = join(temporaryFolder(), "data");
    for (let attempt = 0; attempt < tries; attempt++) {
      const ports = { PORT: String(await freePort()), ADMIN_PORT: String(await freePort()) };
      const { child, texts, exited } = launch(
        { HOST: "127.0.0.1", DATA_DIR: dataDir, ...ports, ...roles[role] },
        { runtime },
      );
      const pid = child.pid as number;
      await poll("the process handles signals", startDeadlineMs, async () => isHandling(pid), 1);
      // Each in its own part of the start, so that few tries meet all of it.
      const delayMs = ((attempt + choose.int(1_000) / 1_000) * startMs) / tries;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill(attempt === 0 ? "SIGTERM" : choose.pick(["SIGTERM", "SIGINT"] as const));
      const timer = setTimeout(() => child.kill("SIGKILL"), endDeadlineMs);
      expect(await exited, texts.stderr).toEqual({ code: 0, signal: null });
      clearTimeout(timer);
      expect(texts.stderr).not.toContain("start-failed");
    }
    if (role !== "everything in one process") return;
    const system = await start({ runtime, dataDir });
    expect((await system.end("SIGTERM")).code).toBe(0);
  },
  600_000,
);
