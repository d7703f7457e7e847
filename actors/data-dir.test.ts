import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { checkDataDir, DataDirError, lockDataDir } from "./data-dir.ts";

const files = [
  { name: "ours.db", is: "a database", applicationId: 7, schemaVersion: 2, content: "SELECT 1 FROM t LIMIT 1" },
];
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
