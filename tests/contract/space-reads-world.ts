/** Two spaces with all that lists, histories and feeds can tell of them, at random but always the same, and the writer's batches that make them. */
import type { Command, Intent } from "../../actors/resources/command.ts";
import type { Document, Head } from "../../actors/resources/document.ts";
import type { Fact } from "../../actors/resources/fact.ts";
import type { Json } from "../../actors/resources/field.ts";
import { statuses } from "../../actors/resources/project.ts";
import { commandOf, idOf, SpaceForTests } from "../../actors/resources/space-for-tests.ts";
import { priorities } from "../../actors/resources/task.ts";
import { type Random, random } from "../system/random.ts";

export const ann = idOf(11);
export const ben = idOf(12);
/** In which nothing has happened. */
export const nobody = idOf(13);
export const shared = idOf(1);
export const other = idOf(2);
export const projects = [21, 22, 23, 24, 25].map(idOf);

export type Batch = { readonly facts: Fact[]; readonly documents: Document[]; readonly heads: Head[] };
export type World = { readonly spaces: ReadonlyMap<string, SpaceForTests>; readonly batches: Batch[] };

export const titles = [
  ...[
    "Buy milk",
    "buy MILK",
    "Çay al",
    "cay",
    "Straße",
    "STRASSE",
    "ΟΔΟΣ",
    "οδός",
    "Zoo",
    "zebra crossing",
    "_under score",
  ],
  ...[
    "İstanbul'da ışık",
    "ISTANBUL",
    "ﬁle x² ½",
    "😀 party",
    "👨‍👩‍👧 family 👍🏽",
    "naïve café",
    "cafe\u0301",
    "日本語のテスト",
    "ﾃｽﾄ",
  ],
  ...[
    "a.*b (c) [d] {e} ^f $g |h \\i ?j +k",
    "100%",
    "-1 < 0",
    "Task 2",
    "Task 10",
    "task 010",
    "Task ٣",
    "Task 2b",
    "ราคาถูก",
    "C++ = fun",
  ],
  ...["가각", "ﷺ", "\uffff", "𝒳 math", "\u{1f600}\u{1f601}", "ǅ ǆ"],
];
export const labels = ["home", "Home", "home ", "Ev işi", "a b", "a", "$a.b", "^h.*", "😀", "é", "İ"];
export const dues: Json[] = [
  { date: "2026-03-29" },
  { date: "2026-03-29", time: "02:30" },
  { date: "2026-03-29", time: "03:00" },
  { date: "2026-03-29", time: "03:30" },
  { date: "2026-03-29", time: "02:30", timeZone: "Europe/Berlin" },
  { date: "2026-10-25", time: "02:30" },
  { date: "2026-10-25", time: "03:00" },
  { date: "2026-10-25", time: "02:30", timeZone: "Europe/Berlin" },
  { date: "2026-03-28", time: "23:30", timeZone: "America/Los_Angeles" },
  { date: "2026-03-30", time: "00:00", timeZone: "UTC" },
  { date: "1969-12-31" },
  { date: "0001-01-01", time: "00:00" },
  { date: "9999-12-31", time: "23:59:59.999", timeZone: "UTC" },
];
const columnsOf = (count: number): Json =>
  ["todo", "in_progress", "done", "todo", "cancelled"]
    .slice(0, count)
    .map((status, index) => ({ id: idOf(61 + index), name: `Column ${index}`, status }));
export const columnIds = [61, 62, 63, 64, 65].map(idOf);

/** `steps` intents, a few of them in one command at times, and a few commands in one batch. */
export function worldOf(seed: number, steps: number): World {
  const choose = random(seed);
  const spaces = new Map([shared, other, ann].map((id) => [id, new SpaceForTests()]));
  const taken: { fact: Fact; documents: readonly Document[]; head: Head | null }[] = [];
  let clock = Date.UTC(2026, 0, 1);
  const take: Take = (spaceId, userId, intents) => {
    const space = spaces.get(spaceId) as SpaceForTests;
    if (choose.chance(0.5)) clock += 1_000;
    const command: Command = commandOf(
      { spaceId, userId, keyed: choose.chance(0.5), at: new Date(clock).toISOString(), fingerprint: "" },
      intents,
    );
    const step = space.take(command);
    taken.push({ ...step, head: space.head });
    return step.documents;
  };
  for (const spaceId of [shared, other]) {
    take(spaceId, ann, [{ type: "space", kind: "create", id: spaceId, body: { name: `Space ${spaceId.slice(-2)}` } }]);
    for (const id of projects)
      take(spaceId, ann, [
        {
          type: "project",
          kind: "create",
          id,
          body: { name: choose.pick(titles).slice(0, 100), columns: columnsOf(3) },
        },
      ]);
  }
  join(take, choose);
  const known = new Map<string, string[]>([shared, other, ann].map((id) => [id, []]));
  for (let step = 0; step < steps; step += 1) {
    const spaceId = choose.chance(0.75) ? shared : choose.pick([other, ann]);
    const count = choose.chance(0.1) ? 1 + choose.int(4) : 1;
    const intents = Array.from({ length: count }, () =>
      intentOf(choose, spaceId, known.get(spaceId) as string[], step),
    );
    take(spaceId, ann, intents);
  }
  return { spaces, batches: batchesOf(choose, taken) };
}

type Take = (spaceId: string, userId: string, intents: readonly Intent[]) => readonly Document[];

/** Ben comes into the one space and leaves the other. */
function join(take: Take, choose: Random): void {
  for (const [index, spaceId] of [shared, other].entries()) {
    const invitationId = idOf(81 + index);
    const tokenHash = `hash ${index} ${choose.int(9)}`;
    const body = { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash };
    take(spaceId, ann, [{ type: "invitation", kind: "create", id: invitationId, body }]);
    const accept = { type: "invitation", kind: "accept", id: invitationId, body: { tokenHash } } as const;
    const member = take(spaceId, ben, [accept]).find(({ type }) => type === "member");
    if (member === undefined) throw new Error("Ben has not become a member");
    if (spaceId === other) take(spaceId, ben, [{ type: "member", kind: "delete", id: member.id, body: {} }]);
  }
}

function intentOf(choose: Random, spaceId: string, tasks: string[], step: number): Intent {
  const isPersonal = spaceId === ann;
  const project = () => (isPersonal || choose.chance(0.4) ? null : choose.pick(projects));
  const someone = spaceId === shared ? [ann, ben] : [ann];
  const title = () => (choose.chance(0.7) ? choose.pick(titles) : `${choose.pick(titles)} ${choose.pick(titles)}`);
  const fields = (): Record<string, Json> => ({
    title: title(),
    description: choose.chance(0.3) ? `${choose.pick(titles)}\n${choose.pick(titles)}` : "",
    status: choose.pick(statuses),
    priority: choose.pick(priorities),
    labels: choose.some(labels, 0.15).map((label) => label.normalize("NFC")),
    due: choose.chance(0.4) ? null : choose.pick(dues),
    projectId: project(),
    assigneeIds: choose.some(someone, 0.3),
  });
  if (tasks.length < 5 || choose.chance(0.4)) {
    const id = idOf(choose.chance(0.9) ? 1_000 + step * 10 + choose.int(9) : 500 + choose.int(40));
    const parentId = tasks.length > 0 && choose.chance(0.3) ? choose.pick(tasks) : null;
    tasks.push(id);
    return { type: "task", kind: "create", id, body: { ...fields(), parentId } };
  }
  const id = choose.pick(tasks);
  const at = choose.int(100);
  if (at < 30)
    return { type: "task", kind: "patch", id, body: Object.fromEntries(choose.some(Object.entries(fields()), 0.3)) };
  if (at < 38)
    return { type: "task", kind: "patch", id, body: { parentId: choose.chance(0.3) ? null : choose.pick(tasks) } };
  if (at < 50) return { type: "task", kind: "delete", id, body: {} };
  if (at < 57) return { type: "task", kind: "restore", id, body: {} };
  if (at < 60) return { type: "task", kind: "undo", id, body: {} };
  if (at < 75)
    return {
      type: "comment",
      kind: "create",
      id: idOf(100_000 + step * 10 + choose.int(9)),
      body: { taskId: id, body: title() },
    };
  if (at < 80 || isPersonal) return { type: "task", kind: "replace", id, body: fields() };
  const projectId = choose.pick(projects);
  if (at < 84) return { type: "project", kind: "patch", id: projectId, body: { archived: choose.chance(0.5) } };
  if (at < 90) return { type: "project", kind: "delete", id: projectId, body: {} };
  if (at < 93) return { type: "project", kind: "restore", id: projectId, body: {} };
  return {
    type: "project",
    kind: "patch",
    id: projectId,
    body: { columns: columnsOf(1 + choose.int(5)) },
    expected: "*",
  };
}

/** As the writer hands them on: of each document and head the latest only. */
function batchesOf(
  choose: Random,
  taken: readonly { fact: Fact; documents: readonly Document[]; head: Head | null }[],
): Batch[] {
  const batches: Batch[] = [];
  for (let at = 0; at < taken.length; ) {
    const part = taken.slice(at, at + 1 + choose.int(12));
    at += part.length;
    const latest = new Map(
      part.flatMap(({ documents }) => documents.map((each) => [`${each.spaceId} ${each.id}`, each])),
    );
    batches.push({
      facts: part.map(({ fact }) => fact),
      // In no order: a document may come before what it refers to.
      documents: choose.some([...latest.values()].reverse(), 1),
      heads: [...new Map(part.flatMap(({ head }) => (head === null ? [] : [[head.spaceId, head]]))).values()],
    });
  }
  return batches;
}
