/** A disk that is full: what is there can be read, what cannot be kept is refused, and all goes on by itself once there is room. */
import { afterAll, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { call, createTask, person, walk } from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, start, temporaryFolder } from "./system/server.ts";

const mounted: string[] = [];
afterAll(async () => {
  // Lazily: a failed test may have left a process that still has files open there.
  for (const folder of mounted) spawnSync("umount", ["-l", folder]);
  await cleanUp();
});

/** A file system of its own of a few MB; undefined where this user may not mount one. */
function smallDisk(): string | undefined {
  const folder = temporaryFolder();
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", folder]).status !== 0) return undefined;
  mounted.push(folder);
  return folder;
}

/** Takes all the room that is left. */
function fill(folder: string): string {
  const path = join(folder, "fill");
  const file = openSync(path, "w");
  try {
    for (let bytes = 2 ** 20; bytes >= 1; bytes /= 2) {
      try {
        while (statfsSync(folder).bavail > 0) writeSync(file, Buffer.alloc(bytes));
      } catch {
        // The next smaller piece may still fit.
      }
    }
  } finally {
    closeSync(file);
  }
  return path;
}

const disk = smallDisk();

describe.skipIf(disk === undefined && process.env.CI !== "true")("a full disk (needs the right to mount)", () => {
  test.each(["bun", "deno"] as const)(
    "on %s: reads are answered, writes are 503 and /readyz says why, until there is room",
    async (runtime) => {
      const folder = smallDisk() ?? "";
      const system = await start({ runtime, dataDir: join(folder, "data") });
      const ann = await person(system.url);
      const task = await createTask(ann, { title: "Before" });
      const filling = fill(folder);

      const refusedWrites = async () => {
        const created = await ann.call("POST", "/v1/tasks", {
          body: { title: "Meanwhile", description: "x".repeat(20_000) },
        });
        return created.status === 503 && created.headers.has("retry-after");
      };
      await poll("a change is refused", 60_000, refusedWrites);
      const ready = async () => {
        const answer = await fetch(`${system.admin}/readyz`);
        return { status: answer.status, disk: ((await answer.json()) as Readyz).dependencies.disk };
      };
      await poll("/readyz tells", 60_000, async () => (await ready()).status === 503);
      expect((await ready()).disk).toEqual({ ready: false, state: "disk full" });
      expect((await call(system.url, "GET", "/health")).status).toBe(503);
      expect((await ann.call("GET", `/v1/tasks/${task.id}`)).status).toBe(200);
      expect((await ann.call("GET", "/v1/tasks")).status).toBe(200);
      expect((await ann.call("GET", "/v1/auth/me")).status).toBe(200);

      rmSync(filling);
      await poll("it is ready again", 60_000, async () => (await ready()).status === 200);
      const after = await createTask(ann, { title: "After" });
      const titles = (await walk(ann, "")).map(({ title }) => title);
      expect(titles.filter((title) => title !== "Meanwhile")).toEqual(["After", "Before"]);
      expect((await ann.call("GET", `/v1/tasks/${after.id}`)).status).toBe(200);
      expect(system.stderr()).toContain('"commit-failed"');
      expect((await system.end("SIGTERM")).code).toBe(0);
    },
    300_000,
  );
});

type Readyz = { dependencies: { disk?: { ready: boolean; state: string } } };
