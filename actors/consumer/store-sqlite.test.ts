import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Command, Outcome } from "../model/command.ts";
import { matching } from "../model/terms.ts";
import { uuidBytes } from "../model/uuid-bytes.ts";
import { apply } from "./apply.ts";
import { command, userA } from "./commands-for-tests.ts";
import { openDatabase } from "./database.ts";
import { mailboxSource } from "./source-mailbox.ts";
import { sqliteStore } from "./store-sqlite.ts";

const opened: { dir: string; dbs: DatabaseSync[] }[] = [];

afterEach(() => {
  for (const { dir, dbs } of opened.splice(0)) {
    for (const db of dbs) db.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

function writer(dir = mkdtempSync(join(tmpdir(), "tasks-"))) {
  const db = openDatabase(dir);
  opened.push({ dir, dbs: [db] });
  const store = sqliteStore(db);
  const source = mailboxSource(store.end());
  return {
    dir,
    db,
    store,
    take: async (...commands: Command[]): Promise<Outcome[]> =>
      (await apply(store, source.deliveries(commands))).flatMap((outcome) => outcome ?? []),
  };
}

test("a created task is stored as it is answered, with its sort keys and its history", async () => {
  const { db, take } = writer();
  const create = command({
    kind: "create",
    body: { title: "Çay al", labels: ["Ev işi"], priority: "high", dueAt: "2026-03-01T00:00:00.000Z" },
  });
  const [outcome] = await take(create);
  expect(outcome).toMatchObject({ verdict: "applied", version: 1, position: { partition: 0, offset: 1 } });
  const row = db.prepare("SELECT * FROM tasks WHERE id = ?").get(uuidBytes(create.taskId)) as Record<string, unknown>;
  expect(row).toMatchObject({
    task: 1,
    owner: 1,
    deleted: 0,
    version: 1,
    position: 1,
    priority: 3,
    due_at: Date.parse("2026-03-01T00:00:00.000Z"),
    title: "cay al",
    json: outcome?.task,
  });
  const { json } = db.prepare("SELECT json FROM history").get() as { json: string };
  expect(JSON.parse(json)).toMatchObject({
    version: 1,
    kind: "created",
    changes: { title: { from: null, to: "Çay al" } },
  });
});

test("words are found by their beginnings and labels exactly, for one owner only", async () => {
  const { db, take } = writer();
  const mine = command({ kind: "create", body: { title: "Büyük Çay", labels: ["Ev işi"] } });
  const other = command({
    kind: "create",
    userId: "00000000-0000-4000-8000-00000000000b",
    body: { title: "büyük çay", labels: ["Ev işi"] },
  });
  await take(mine, other);
  const find = (words: string[], labels: string[]) => {
    const rows = db
      .prepare("SELECT rowid AS task FROM terms WHERE terms MATCH ?")
      .all(matching(1, words, labels) ?? "") as { task: number }[];
    return rows.map(({ task }) => task);
  };
  expect(find(["buy", "cay"], ["Ev işi"])).toEqual([1]);
  expect(find(["uyuk"], [])).toEqual([]);
  expect(find([], ["Ev"])).toEqual([]);
  await take(command({ kind: "patch", taskId: mine.taskId, body: { title: "Kahve", labels: [] } }));
  expect(find(["buy"], [])).toEqual([]);
  expect(find(["kah"], [])).toEqual([1]);
});

test("a repeated operation gets its first outcome after a restart, and is not logged again", async () => {
  const first = writer();
  const create = command({ kind: "create", body: { title: "One" } });
  const patch = command({ kind: "patch", taskId: create.taskId, body: { title: "Two" } });
  const refused = command({ kind: "restore", taskId: create.taskId });
  const outcomes = await first.take(create, patch, refused);
  await first.take(command({ kind: "delete", taskId: create.taskId }));
  const second = writer(first.dir);
  const again = await second.take(create, patch, refused, { ...patch, fingerprint: "another" });
  expect(again.slice(0, 3)).toEqual(outcomes.map((outcome) => ({ ...outcome, verdict: "replayed" })));
  expect(again[3]).toMatchObject({ verdict: "rejected", code: "idempotency-mismatch" });
  expect(second.store.end()).toBe(5);
});

test("a second connection that only reads sees each commit at once, also in the middle of its own reading", async () => {
  const { dir, take } = writer();
  const reader = new DatabaseSync(join(dir, "tasks.db"), { readOnly: true });
  opened.at(-1)?.dbs.push(reader);
  const count = reader.prepare("SELECT count(*) AS n FROM tasks");
  for (let n = 1; n <= 50; n += 1) {
    await take(command({ kind: "create", body: { title: `${n}` } }));
    expect(count.get()).toMatchObject({ n });
  }
  const walk = reader.prepare("SELECT json FROM tasks ORDER BY task").iterate();
  walk.next();
  await take(command({ kind: "create", body: { title: "51" } }));
  expect([...walk]).toHaveLength(49);
});

test("a batch that fails leaves nothing behind", async () => {
  const { db, store, take } = writer();
  db.exec("CREATE TRIGGER full BEFORE INSERT ON history WHEN NEW.task = 2 BEGIN SELECT RAISE(ABORT, 'disk full'); END");
  await expect(
    take(command({ kind: "create", body: { title: "a" } }), command({ kind: "create", body: { title: "b" } })),
  ).rejects.toThrow("disk full");
  expect(db.prepare("SELECT count(*) AS n FROM tasks").get()).toMatchObject({ n: 0 });
  expect(store.end()).toBe(1);
});

test("the file is private, and one that is not ours or is newer is refused untouched", () => {
  const { dir, db } = writer();
  const file = join(dir, "tasks.db");
  expect(statSync(file).mode & 0o777).toBe(0o600);
  db.exec("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);");
  expect(() => openDatabase(dir)).toThrow(/^Cannot open .*tasks\.db: its schema version 99 is newer than 2/);

  const foreign = mkdtempSync(join(tmpdir(), "tasks-"));
  opened.push({ dir: foreign, dbs: [] });
  const other = join(foreign, "tasks.db");
  for (const make of [
    () => writeFileSync(other, "not a database"),
    () => new DatabaseSync(other).exec("CREATE TABLE a (b)"),
  ]) {
    rmSync(other, { force: true });
    make();
    chmodSync(other, 0o644);
    const before = readFileSync(other);
    expect(() => openDatabase(foreign)).toThrow(
      /^Cannot open .*tasks\.db: it is not a tasks database of this program; put it back/,
    );
    expect(readFileSync(other)).toEqual(before);
    expect(statSync(other).mode & 0o777).toBe(0o644);
  }
});

test("a file whose first process was killed before any checkpoint opens again", async () => {
  const { dir, take } = writer();
  await take(command({ kind: "create", body: { title: "kept" }, userId: userA }));
  const copy = mkdtempSync(join(tmpdir(), "tasks-"));
  for (const suffix of ["", "-wal"])
    writeFileSync(join(copy, `tasks.db${suffix}`), readFileSync(join(dir, `tasks.db${suffix}`)));
  expect(writer(copy).store.end()).toBe(2);
});
