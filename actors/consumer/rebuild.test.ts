import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import type { Command, CommandKind, Outcome } from "../model/command.ts";
import { erasure } from "../model/erasure.ts";
import { apply } from "./apply.ts";
import { command, userA, userB } from "./commands-for-tests.ts";
import { openDatabase } from "./database.ts";
import { rebuild } from "./rebuild.ts";
import { mailboxSource } from "./source-mailbox.ts";
import { sqliteStore } from "./store-sqlite.ts";

const ids = [1, 2, 3].map((n) => `00000000-0000-7000-8000-00000000000${n}`);
const anyCommand = fc
  .record({
    kind: fc.constantFrom<CommandKind>("create", "create", "patch", "patch", "replace", "delete", "restore", "undo"),
    taskId: fc.constantFrom(...ids),
    userId: fc.constantFrom(userA, userA, userB),
    title: fc.constantFrom("Buy milk", "Süt al", "x", "Ωμέγας"),
    labels: fc.constantFrom<string[]>([], ["home"], ["home", "Ev işi"]),
    operation: fc.integer({ min: 0, max: 30 }),
  })
  .map(({ kind, taskId, userId, title, labels, operation }): Command => {
    const body = { title, labels };
    const operationId = `00000000-0000-5000-8000-0000000000${String(operation).padStart(2, "0")}`;
    return command({
      kind,
      taskId,
      userId,
      operationId,
      fingerprint: JSON.stringify([kind, taskId, body]),
      body: ["create", "patch", "replace"].includes(kind) ? body : {},
    });
  });

function open(dir: string) {
  const db = openDatabase(dir);
  const store = sqliteStore(db);
  return { db, store, source: mailboxSource(store.end()) };
}

async function inFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "tasks-"));
  try {
    await work(dir);
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** Every row of every table, the terms through FTS5's own vocabulary. */
function everything(db: DatabaseSync): string {
  db.exec("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, terms, instance)");
  const rows = ["log", "owners", "tasks", "history", "erased"].map((table) =>
    db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all(),
  );
  const terms = db.prepare("SELECT term, doc FROM temp.vocabulary ORDER BY term, doc").all();
  db.exec("DROP TABLE temp.vocabulary");
  return JSON.stringify([rows, terms]);
}

test("the read model made again from the log equals the one before to the byte", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(anyCommand, { minLength: 1, maxLength: 12 }), { maxLength: 6 }), (batches) =>
      inFolder(async (dir) => {
        const { db, store, source } = open(dir);
        for (const batch of batches) await apply(store, source.deliveries(batch));
        const before = everything(db);
        await rebuild(db);
        expect(everything(db)).toBe(before);
        db.close();
      }),
    ),
    { numRuns: 40 },
  );
});

test("batches cut by crashes and sent again have the effect of each command once", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyCommand, { minLength: 1, maxLength: 30 }),
      fc.array(fc.nat(3), { minLength: 30, maxLength: 30 }),
      (commands, faults) =>
        inFolder(async (dir) => {
          let { db, store, source } = open(dir);
          const outcomes: Outcome[] = [];
          const first = new Map<string, Outcome>();
          for (const [index, next] of commands.entries()) {
            const fault = faults[index];
            // 1: the process ends before the commit, 2: after it and before the answer. Either way whoever asked asks again.
            // (A repeat writes nothing, so nothing cuts it.)
            const killed = { ...store, write: () => Promise.reject(new Error("killed")) };
            if (fault === 1) await Promise.allSettled([apply(killed, source.deliveries([next]))]);
            if (fault === 2) await apply(store, source.deliveries([next]));
            if (fault === 1 || fault === 2) {
              db.close();
              ({ db, store, source } = open(dir));
            }
            const [outcome] = await apply(store, source.deliveries([next]));
            if (outcome !== undefined) outcomes.push(outcome);
          }
          for (const outcome of outcomes) {
            const known = first.get(outcome.operationId);
            if (outcome.code === "idempotency-mismatch") continue;
            if (known === undefined) first.set(outcome.operationId, outcome);
            else expect([outcome.verdict, outcome.code, outcome.task]).toEqual(["replayed", known.code, known.task]);
          }
          const { n } = db.prepare("SELECT count(*) AS n FROM log").get() as { n: number };
          expect(n).toBe(new Set(commands.map(({ operationId }) => operationId)).size);
          const gaps = db
            .prepare("SELECT task FROM history GROUP BY task HAVING count(*) <> max(version) OR min(version) <> 1")
            .all();
          expect(gaps).toEqual([]);
          db.close();
        }),
    ),
    { numRuns: 30 },
  );
});

test("a command redelivered at its own position is announced again with its recorded outcome and changes nothing", () =>
  inFolder(async (dir) => {
    const { db, store, source } = open(dir);
    const create = command({ kind: "create", body: { title: "One" } });
    const deliveries = source.deliveries([
      create,
      command({ kind: "patch", taskId: create.taskId, body: { title: "Two" } }),
      command({ kind: "delete", taskId: create.taskId }),
    ]);
    const outcomes = await apply(store, deliveries);
    const before = everything(db);
    expect(await apply(store, deliveries)).toEqual(outcomes);
    expect(everything(db)).toBe(before);
    db.close();
  }));

test("a verdict that does not come out as recorded stops the rebuild and leaves everything as it was", () =>
  inFolder(async (dir) => {
    const { db, store, source } = open(dir);
    await apply(store, source.deliveries([command({ kind: "create", body: { title: "One" } })]));
    db.exec("UPDATE log SET code = 'conflict', version = NULL");
    const before = everything(db);
    await expect(rebuild(db)).rejects.toThrow(
      "the command at position 1 was decided as conflict and now as applied as version 1",
    );
    expect(everything(db)).toBe(before);
    db.close();
  }));

test("a rebuild that is told to stop stops between two batches and leaves everything as it was", () =>
  inFolder(async (dir) => {
    const { db, store, source } = open(dir);
    const creates = Array.from({ length: 1_500 }, (_, n) => command({ kind: "create", body: { title: `Task ${n}` } }));
    await apply(store, source.deliveries(creates));
    const before = everything(db);
    const stop = new AbortController();
    const seen: [number, number][] = [];
    const progress = {
      stage: () => {},
      update(done: number, total: number) {
        seen.push([done, total]);
        stop.abort(new Error("told to stop"));
      },
    };
    await expect(rebuild(db, { progress, signal: stop.signal })).rejects.toThrow("told to stop");
    expect(seen).toEqual([[1_000, 1_500]]);
    expect(everything(db)).toBe(before);
    db.close();
  }));

test("an erased user leaves nothing but a mark, in the file and after a rebuild, and others' tasks stay", () =>
  inFolder(async (dir) => {
    const { db, store, source } = open(dir);
    const words = `secret "userId":"${userB}`;
    const mine = command({
      kind: "create",
      userId: userA,
      body: { title: words, description: words, labels: ["secret"] },
    });
    const theirs = command({ kind: "create", userId: userB, body: { title: words } });
    const refused = command({ kind: "patch", userId: userA, taskId: theirs.taskId, body: { title: "secret too" } });
    const end = erasure(userA, { partition: 0, partitions: 1 }, "2026-02-01T00:00:00.000Z");
    const late = command({ kind: "create", userId: userA, body: { title: "secret and late" } });
    for (const each of [mine, theirs, refused, end, late]) await apply(store, source.deliveries([each]));
    while (store.clean());
    const isErased = (): void => {
      const left = everything(db);
      for (const gone of ["secret too", "secret and late", mine.taskId]) expect(left).not.toContain(gone);
      const titles = db.prepare("SELECT json_extract(json, '$.title') AS title FROM tasks").all();
      expect(titles).toEqual([{ title: words }]);
    };
    isErased();
    await rebuild(db);
    isErased();
    expect(await apply(store, source.deliveries([end]))).toMatchObject([{ verdict: "replayed" }]);
    db.close();
  }));
