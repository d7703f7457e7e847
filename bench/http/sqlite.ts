/**
 * The reference of creates: what SQLite commits a second, in batches of 64, of a log row, a task row and a history row.
 * `bun|deno sqlite.ts <file, made when missing> <file with a task's text> <seconds>`; prints the tasks a second.
 */

import { readFileSync } from "node:fs";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { v7 } from "uuid";

const [file = "", textFile = "", seconds = ""] = process.argv.slice(2);
const batchTasks = 64;
const text = readFileSync(textFile, "utf8");
const owner = v7();

const db = new DatabaseSync(file);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
db.exec(`
  CREATE TABLE IF NOT EXISTS log (position INTEGER PRIMARY KEY, command TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, owner TEXT NOT NULL, version INTEGER NOT NULL, json TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS history (task TEXT NOT NULL, version INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (task, version));
`);
const logged = db.prepare("INSERT INTO log (command) VALUES (?)");
const made = db.prepare("INSERT INTO tasks (id, owner, version, json) VALUES (?, ?, 1, ?)");
const noted = db.prepare("INSERT INTO history (task, version, json) VALUES (?, 1, ?)");

const beganMs = performance.now();
let tasks = 0;
let spentMs = 0;
while (spentMs < Number(seconds) * 1_000) {
  db.exec("BEGIN IMMEDIATE");
  for (let each = 0; each < batchTasks; each++) {
    const id = v7();
    logged.run(text);
    made.run(id, owner, text);
    noted.run(id, text);
  }
  db.exec("COMMIT");
  tasks += batchTasks;
  spentMs = performance.now() - beganMs;
}
db.close();
process.stdout.write(`${(tasks * 1_000) / spentMs}\n`);
