import { afterAll, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { checkDataDir, checkTogether, DataDirError, lockDataDir } from "./data-dir.ts";

const ours = {
  name: "ours.db",
  is: "a database",
  applicationId: 7,
  schemaVersion: 2,
  content: "SELECT 1 FROM t LIMIT 1",
};
const files = [ours];
const root = mkdtempSync(join(tmpdir(), "data-dir-test-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const folder = (): string => {
  const dir = join(root, String(++folders));
  mkdirSync(dir);
  return dir;
};

function database(path: string, applicationId: number, version: number): void {
  const db = new DatabaseSync(path);
  db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${version}; CREATE TABLE t (a);`);
  db.close();
}

test("a missing folder is fine and stays missing until it is locked, then is the owner's alone", () => {
  const dir = join(root, "deep", "er");
  checkDataDir(dir, files);
  expect(statSync(dir, { throwIfNoEntry: false })).toBeUndefined();
  const lock = lockDataDir(dir);
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  lock.release();
});

test("a locked folder is refused until it is released", () => {
  const dir = folder();
  const lock = lockDataDir(dir);
  expect(() => lockDataDir(dir)).toThrow("another process uses it");
  lock.release();
  lockDataDir(dir).release();
});

test("a file in the place of the folder is refused", () => {
  const path = join(root, "file");
  writeFileSync(path, "mine");
  expect(() => checkDataDir(path, files)).toThrow("it is a file, not a folder");
  expect(() => checkDataDir(join(path, "below"), files)).toThrow(DataDirError);
});

test("a file of ours, an empty one and none are taken", () => {
  const dir = folder();
  checkDataDir(dir, files);
  writeFileSync(join(dir, "ours.db"), "");
  checkDataDir(dir, files);
  rmSync(join(dir, "ours.db"));
  database(join(dir, "ours.db"), 7, 2);
  checkDataDir(dir, files);
});

const foreign: [string, (path: string) => void, string][] = [
  ["a text", (path) => writeFileSync(path, "a letter to somebody"), "it is not a database of this program"],
  ["a database of another program", (path) => database(path, 8, 1), "it is not a database of this program"],
  ["a database of a newer program", (path) => database(path, 7, 3), "its schema version 3 is newer than 2"],
  ["a folder", (path) => mkdirSync(path), "it is not a file"],
];
test.each(foreign)("%s by the name of ours is refused and left as it is", (_what, make, reason) => {
  const dir = folder();
  const path = join(dir, "ours.db");
  make(path);
  const before = statSync(path).isFile() ? readFileSync(path) : undefined;
  expect(() => checkDataDir(dir, files)).toThrow(reason);
  expect(readdirSync(dir)).toEqual(["ours.db"]);
  if (before !== undefined) expect(readFileSync(path).equals(before)).toBe(true);
});

test("somebody's file by the name of the lock is refused", () => {
  const dir = folder();
  writeFileSync(join(dir, "lock.db"), "mine");
  expect(() => checkDataDir(dir, files)).toThrow("it is not the lock of this program");
});

const both = [
  { ...ours, name: "one.db" },
  { ...ours, name: "other.db" },
] as const;

/** A file of ours in WAL mode that was killed: its changes are in its write-ahead log alone. */
function killedWith(path: string, statements: string): void {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA application_id = 7; PRAGMA user_version = 2; CREATE TABLE t (a); PRAGMA journal_mode = WAL;");
  db.exec(statements);
  copyFileSync(path, `${path}.kept`);
  copyFileSync(`${path}-wal`, `${path}.kept-wal`);
  db.close();
  renameSync(`${path}.kept`, path);
  renameSync(`${path}.kept-wal`, `${path}-wal`);
}

test("a newer version that only the write-ahead log knows is refused, and nothing is touched", () => {
  const dir = folder();
  killedWith(join(dir, "ours.db"), "PRAGMA user_version = 3; INSERT INTO t VALUES (1);");
  const before = readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString("base64")]);
  expect(() => checkDataDir(dir, files)).toThrow(
    /ours\.db: its schema version 3 is newer than 2.*run the newer program/,
  );
  expect(readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString("base64")])).toEqual(before);
});

test("what was begun in a write-ahead log and not committed does not count, nor what is left from before", () => {
  const dir = folder();
  killedWith(join(dir, "ours.db"), "INSERT INTO t VALUES (1);");
  const wal = join(dir, "ours.db-wal");
  const bytes = readFileSync(wal);
  const frames = Buffer.from(bytes);
  // A first page of version 9 without the mark of a commit.
  frames.writeUInt32BE(1, 32);
  frames.writeUInt32BE(0, 36);
  frames.writeUInt32BE(9, 32 + 24 + 60);
  writeFileSync(wal, frames.subarray(0, 32 + 24 + 4096));
  checkDataDir(dir, files);
  // The same, committed, of another round of the log.
  frames.writeUInt32BE(1, 36);
  frames.writeUInt32BE((frames.readUInt32BE(40) ^ 1) >>> 0, 40);
  writeFileSync(wal, frames.subarray(0, 32 + 24 + 4096));
  checkDataDir(dir, files);
});

test.each(["missing", "empty"])("a file that is %s beside its write-ahead log is refused", (how) => {
  const dir = folder();
  const path = join(dir, "ours.db");
  killedWith(path, "INSERT INTO t VALUES (1);");
  if (how === "missing") rmSync(path);
  else writeFileSync(path, "");
  expect(() => checkDataDir(dir, files)).toThrow(
    new RegExp(`ours\\.db: it is ${how}, but .*ours\\.db-wal has changes.*backup`),
  );
});

test.each(["missing", "empty"])("a file that is %s beside another with content is refused, whichever it is", (how) => {
  for (const [name, other] of [
    ["one.db", "other.db"],
    ["other.db", "one.db"],
  ] as const) {
    const dir = folder();
    killedWith(join(dir, other), "INSERT INTO t VALUES (1);");
    if (how === "empty") writeFileSync(join(dir, name), "");
    expect(() => checkTogether(dir, both)).toThrow(
      new RegExp(`${name} is ${how}, but ${other} beside it has content.*backup`),
    );
  }
});

test("a first start that was cut off between two files begins again", () => {
  const dir = folder();
  database(join(dir, "one.db"), 7, 2);
  writeFileSync(join(dir, "other.db"), "");
  checkTogether(dir, both);
  checkTogether(folder(), both);
});

test("a file that cannot be read is named, with what to do", () => {
  const dir = folder();
  const path = join(dir, "one.db");
  database(path, 7, 2);
  const bytes = readFileSync(path);
  bytes.fill(0xff, 100, 200);
  writeFileSync(path, bytes);
  expect(() => checkTogether(dir, both)).toThrow(/^Cannot use .*one\.db: .*malformed.*; put it back from a backup$/);
});
