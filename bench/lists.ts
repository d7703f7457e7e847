/**
 * Lists of one space with very many tasks in SQLite, and what they leave to others of the same thread: `bun run bench:lists [--tasks N] [--runs N]`.
 * Also what one created task costs the writer, with all its columns, items and words, a hundred at a time.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { openSpaceDatabase } from "../actors/consumer/embedded/database.ts";
import { sqliteFactStore } from "../actors/consumer/embedded/fact-store.ts";
import type { Document } from "../actors/resources/document.ts";
import { statuses } from "../actors/resources/project.ts";
import { registry } from "../actors/resources/registry.ts";
import { priorities, task } from "../actors/resources/task.ts";
import { sqliteSpaceReads } from "../actors/task/embedded/reads.ts";
import { resourceQuery } from "../actors/task/resource-query.ts";
import { helpIfAsked } from "./http/options.ts";

helpIfAsked(import.meta.url);
const given = process.argv.slice(2);
const numberOf = (name: string, otherwise: number): number => {
  const at = given.indexOf(name);
  return at < 0 ? otherwise : Number(given[at + 1]);
};
const tasks = numberOf("--tasks", 300_000);
const runs = numberOf("--runs", 200);
if (!(tasks >= 1_000 && runs >= 10)) throw new RangeError("Cannot measure: --tasks from 1000 and --runs from 10");

const batch = 1_000;
/** Repeatable (a linear congruential generator, of which only the upper bits are used). */
let state = 5;
const below = (max: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 4_294_967_296) * max);
};
const choose = {
  int: below,
  chance: (probability: number) => below(1_000_000) < probability * 1_000_000,
  pick: <T>(from: readonly T[]): T => from[below(from.length)] as T,
};
const idOf = (number: number) =>
  `0199a000-${String(number >> 16).padStart(4, "0")}-7000-8000-${number.toString(16).padStart(12, "0")}`;
const [spaceId, ann] = [idOf(1), idOf(2)];
const people = Array.from({ length: 50 }, (_, index) => idOf(100 + index));
const projects = Array.from({ length: 20 }, (_, index) => idOf(200 + index));
const vocabulary = Array.from({ length: 3_000 }, () =>
  Array.from({ length: 3 + choose.int(7) }, () => "aeioubcdfglmnprst"[choose.int(17)]).join(""),
);
/** Few words are common, and many are rare. */
const word = () => vocabulary[Math.floor(vocabulary.length * (choose.int(1_000) / 1_000) ** 3)] as string;
const sentence = (words: number) => Array.from({ length: words }, word).join(" ");
const startMs = Date.UTC(2024, 0, 1);

function documentOf(number: number): Document {
  const at = new Date(startMs + number * 200_000).toISOString();
  const due = choose.chance(0.6)
    ? { date: new Date(startMs + choose.int(1_000) * 86_400_000).toISOString().slice(0, 10) }
    : null;
  const status = choose.chance(0.01) ? "cancelled" : choose.pick(statuses.slice(0, 3));
  return {
    spaceId,
    id: idOf(1_000 + number),
    type: "task",
    version: 1,
    seq: number + 1,
    fields: {
      ...Object.fromEntries(Object.keys(task.fields).map((name) => [name, null])),
      title: `${sentence(3 + choose.int(5))} ${number}`,
      description: sentence(choose.int(60)),
      status,
      priority: choose.pick(priorities),
      labels: [...new Set(Array.from({ length: choose.int(3) }, () => `label ${choose.int(30)}`))],
      due,
      projectId: choose.chance(0.5) ? choose.pick(projects) : null,
      assigneeIds: choose.chance(0.3) ? [choose.pick(people)] : [],
      rank: `${String(number).padStart(9, "0")}V`,
      completedAt: status === "done" ? at : null,
    },
    creatorId: ann,
    createdAt: at,
    updatedAt: at,
    undoable: 0,
  };
}

const folder = mkdtempSync(join(tmpdir(), "bench-lists-"));
const db = openSpaceDatabase(folder);
db.exec("PRAGMA synchronous = OFF");
const store = sqliteFactStore(db, registry);
const begunMs = performance.now();
for (let from = 0; from < tasks; from += batch)
  store.commit(
    [],
    Array.from({ length: batch }, (_, index) => documentOf(from + index)),
    [],
  );
const perTaskUs = ((performance.now() - begunMs) * 1_000) / tasks;
const reads = sqliteSpaceReads(folder, registry);

const [common, rare] = [vocabulary[0] as string, vocabulary.at(-1) as string];
const queries = [
  ...["-createdAt", "updatedAt", "dueAt", "-dueAt", "-priority", "title", "rank"].map((sort) => `sort=${sort}`),
  ...statuses.map((status) => `status=${status}`),
  ...[
    "status=cancelled&sort=title",
    "status=cancelled&priority=urgent&sort=dueAt",
    "status=todo&status=done&priority=low&sort=title",
  ],
  ...[
    `project=${projects[0]}&sort=rank`,
    "project=none",
    "parent=none&sort=title",
    `project=${projects[0]}&status=todo&sort=dueAt`,
  ],
  ...[`assignee=${people[0]}`, "assignee=none&sort=dueAt", "label=label 1", "label=label 1&label=label 2&sort=title"],
  ...[
    "dueBefore=2024-01-10",
    "dueAfter=2026-01-01&sort=-dueAt&timeZone=Asia/Tokyo",
    "dueBefore=2025-06-01&sort=createdAt",
  ],
  ...["updatedAfter=2025-11-01T00:00:00Z", "completedAfter=2024-06-01T00:00:00Z&sort=title"],
  ...[
    common,
    rare,
    common.slice(0, 1),
    common.slice(0, 2),
    common.slice(0, 3),
    `${common} ${rare}`,
    `${tasks - 5}`,
    "zzzz",
  ].flatMap((q) => [`q=${q}`, `q=${q}&sort=title`]),
  "deleted=true",
];

function summary(tookMs: number[]): { p50: string; p99: string; max: string } {
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] as number).toFixed(2);
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** What another waits that comes while lists are read without pause: from one turn of the thread to the next. */
async function waits(of: () => unknown, forMs: number): Promise<number[]> {
  const took: number[] = [];
  let isOver = false;
  const others = (async () => {
    while (!isOver) {
      await of();
      // As requests come: each in a turn of its own.
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (const endMs = performance.now() + forMs; performance.now() < endMs; ) {
    const asked = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    reads.resources(spaceId, [idOf(1_000 + choose.int(tasks))]);
    took.push(performance.now() - asked);
  }
  isOver = true;
  await others;
  return took;
}

const rows: Record<string, unknown>[] = [];
for (const query of queries) {
  const parameters = new URLSearchParams(query);
  const asked = resourceQuery(task, { userId: ann, spaceIds: [spaceId] }, parameters);
  const took: number[] = [];
  let found = 0;
  for (let run = 0; run < runs; run += 1) {
    const begun = performance.now();
    found = (await reads.list(asked)).length;
    took.push(performance.now() - begun);
    if (took.length >= 10 && performance.now() - begun > 200) break;
  }
  const blocked = await waits(async () => void (await reads.list(asked)), 300);
  rows.push({
    query: query.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "id"),
    found,
    ...summary(took),
    "another p99": summary(blocked).p99,
  });
}
console.table(rows);
const begun = performance.now();
const labels = await reads.labels(spaceId);
console.log(`labels: ${labels.length} in ${(performance.now() - begun).toFixed(1)} ms`);
console.log(`written: ${perTaskUs.toFixed(0)} µs a task, ${batch} at a time`);
reads.close();
db.close();
rmSync(folder, { recursive: true });
