/** `tracker` as an operator meets it: its help, its refusals, its exit codes, Ctrl-C, and its bar at a terminal. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openSpaceDatabase } from "../actors/consumer/embedded/database.ts";
import { sqliteFactStore } from "../actors/consumer/embedded/fact-store.ts";
import { localPartition } from "../actors/consumer/embedded/partition.ts";
import { PartitionWriter } from "../actors/consumer/partition-writer.ts";
import { lockDataDir } from "../actors/process/data-dir.ts";
import { registry } from "../actors/resources/registry.ts";
import { commandOf, idOf } from "../actors/resources/space-for-tests.ts";
import { commands } from "../actors/tracker/commands.ts";
import { poll } from "./system/poll.ts";
import type { Runtime } from "./system/runtimes.ts";
import { cleanUp, temporaryFolder } from "./system/server.ts";
import { tracker } from "./system/tracker.ts";

const deadlineMs = 60_000;
const runtimes: readonly Runtime[] = ["bun", "deno"];
afterAll(cleanUp);

const people = 50;

/** A folder with so many operations of some people, half of them changes; what its read model holds, to compare. */
async function folderWith(count: number): Promise<string> {
  const dataDir = join(temporaryFolder(), "data");
  const db = openSpaceDatabase(dataDir);
  db.exec("PRAGMA synchronous = OFF");
  const writer = await PartitionWriter.takeOver({ ...localPartition(sqliteFactStore(db, registry)).ports, registry });
  for (let made = 0; made < count; made += 500) {
    const some = Array.from({ length: Math.min(500, count - made) }, (_, n) => {
      const number = made + n;
      const who = idOf(1 + (Math.floor(number / 2) % people));
      const id = idOf(1_000 + Math.floor(number / 2));
      const isNew = number % 2 === 0;
      const body = isNew ? { title: `Task ${number}` } : { priority: "high" };
      return commandOf({ spaceId: who, userId: who }, [{ type: "task", id, kind: isNew ? "create" : "patch", body }]);
    });
    const { next } = writer;
    await writer.take(some.map((command, at) => ({ position: next + at, command, isResent: false })));
    while (await writer.project());
  }
  db.close();
  return dataDir;
}
function tasksIn(dataDir: string): unknown[] {
  const db = openSpaceDatabase(dataDir);
  try {
    return ["documents", "heads", "items"].map((table) => {
      const columns = table === "documents" ? "space, id, type, version, state, text, rest, field_title" : "*";
      return db.prepare(`SELECT ${columns} FROM ${table} ORDER BY 1, 2`).all();
    });
  } finally {
    db.close();
  }
}

test.each(runtimes)(
  "on %s, help lists every command and help of each tells how it is called and the exit codes",
  async (runtime) => {
    const { code, out, err } = await tracker(["help"], {}, runtime).exited;
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const [name, { summary }] of Object.entries(commands)) {
      expect(out).toContain(`${name}`);
      expect(out).toContain(summary);
      for (const args of [
        ["help", name],
        [name, "--help"],
      ]) {
        const one = await tracker(args, {}, runtime).exited;
        expect([one.code, one.err]).toEqual([0, ""]);
        expect(one.out).toMatch(new RegExp(`Usage: .*tracker ${name}\\b`));
        expect(one.out).toContain("Exit codes: 0 done;");
      }
    }
  },
  deadlineMs,
);

test.each([
  [["rebuid"], {}, 'Cannot run "rebuid": there is no such command; see `tracker help`\n'],
  [["help", "rebuid"], {}, 'Cannot run "rebuid": there is no such command; see `tracker help`\n'],
  [["rebuild", "data"], {}, 'Cannot take the argument "data"; see `tracker help rebuild`\n'],
  [["rebuild"], { DATA_DIR: "/nonexistent" }, "Cannot rebuild: there is no tasks.db in DATA_DIR /nonexistent\n"],
  [
    ["reset-password", "a@example.com"],
    { DATA_DIR: "/nonexistent" },
    "Cannot find auth.db in DATA_DIR /nonexistent: start the system there once, or give DATABASE_URL\n",
  ],
  [
    ["reset-password"],
    {},
    "Cannot reset a password: give the e-mail of the account; see `tracker help reset-password`\n",
  ],
  [["reset-password", "a", "b"], {}, 'Cannot take the argument "b"; see `tracker help reset-password`\n'],
  [["add-user"], {}, "Cannot add an account: give its e-mail; see `tracker help add-user`\n"],
  [
    ["add-user", "a@example.com", "Ada", "Lovelace"],
    {},
    'Cannot take the argument "Lovelace": quote the name; see `tracker help add-user`\n',
  ],
  [["rebuild"], { PORT: "x" }, 'PORT must be a whole number from 0 to 65535, not "x"\n'],
])(
  "tracker %j with %j is refused with 2 and one clear line",
  async (args, env, line) => {
    expect(await tracker(args, env as Record<string, string>).exited).toEqual({ code: 2, out: "", err: line });
  },
  deadlineMs,
);

test(
  "without a command it is refused with the list of commands",
  async () => {
    const { code, out, err } = await tracker([]).exited;
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("Usage: ");
  },
  deadlineMs,
);

/** Lines that come every ten seconds, of a machine that is slow. */
const withoutProgress = (err: string): string => err.replaceAll(/^[\d,]+ of [\d,]+ facts, .*\n/gm, "");

describe("rebuild in a folder", () => {
  let dataDir: string;
  let before: unknown[];
  beforeAll(async () => {
    dataDir = await folderWith(60_000);
    before = tasksIn(dataDir);
  }, deadlineMs * 2);

  test(
    "tells how it went, and refuses a folder that another process holds",
    async () => {
      const lock = lockDataDir(dataDir);
      const held = await tracker(["rebuild"], { DATA_DIR: dataDir }).exited;
      lock.release();
      expect(held).toEqual({ code: 2, out: "", err: expect.stringContaining("another process uses it") });
      for (const runtime of runtimes) {
        const { code, out, err } = await tracker(["rebuild"], { DATA_DIR: dataDir }, runtime).exited;
        expect({ code, err: withoutProgress(err) }).toEqual({
          code: 0,
          err: "Writing the new read model to the disk\n",
        });
        expect(out).toMatch(/^Rebuilt from 60000 facts in \d+\.\d s \(\d+ a second\)\n$/);
        expect(tasksIn(dataDir)).toEqual(before);
      }
    },
    deadlineMs * 2,
  );

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)(
    "%s ends it with %d and leaves the read model as it was",
    async (signal, wanted) => {
      const { child, exited } = tracker(["rebuild"], { DATA_DIR: dataDir });
      // Its write-ahead log grows once it is at work.
      const grows = () => readFileSync(`/proc/${child.pid}/io`, "utf8").match(/^wchar: (\d+)/m)?.[1] ?? "0";
      await poll("it is at work", deadlineMs, () => child.exitCode !== null || Number(grows()) > 100_000);
      child.kill(signal);
      const { code, out, err } = await exited;
      expect({ code, out }).toEqual({ code: wanted, out: "" });
      expect(withoutProgress(err)).toBe("Stopping; once more ends it at once\nInterrupted: rebuild was not finished\n");
      expect(tasksIn(dataDir)).toEqual(before);
    },
    deadlineMs * 2,
  );

  test.skipIf(Bun.which("script") === null)(
    "at a terminal it draws a bar and removes it",
    async () => {
      const program = join(import.meta.dir, "..", "actors", "tracker", "main.ts");
      const shell = `'${process.execPath}' '${program}' rebuild`;
      const child = Bun.spawn(["script", "-qec", shell, "/dev/null"], {
        env: { PATH: "/usr/bin:/bin", DATA_DIR: dataDir, TERM: "xterm", SHELL: "/bin/sh" },
        stdio: ["ignore", "pipe", "ignore"],
      });
      const text = await new Response(child.stdout).text();
      expect(await child.exited).toBe(0);
      const drawn = text.split("\r\x1b[K");
      expect(drawn.some((each) => /^ +\d+ % \[#*-*\] [\d,]+ of 60,000 facts, [\d,]+ a second/.test(each))).toBe(true);
      expect(drawn.at(-1)).toStartWith("Rebuilt from 60000 facts");
    },
    deadlineMs,
  );
});
