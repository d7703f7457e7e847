/**
 * The writers of a partition over thousands of schedules: crashes between any two effects, writers that do not know that they were replaced, commands that
 * come again, keys used twice, and newer code that decides otherwise. Each seed is one schedule; a failing one is named and plays again.
 */
import { expect, test } from "bun:test";
import { type Random, random } from "../../tests/system/random.ts";
import { schedules } from "../../tests/system/schedules.ts";
import type { Command, Intent } from "../resources/command.ts";
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { isSame, type Json } from "../resources/field.ts";
import { type Registry, registry, registryOf, resourceTypes } from "../resources/registry.ts";
import { commandOf, idOf, SpaceForTests, undoOf } from "../resources/space-for-tests.ts";
import type { Told } from "../resources/verdict.ts";
import { PartitionWriter } from "./partition-writer.ts";
import { SupersededError } from "./space-memory.ts";
import {
  emptyWorld,
  type Mutation,
  placeOver,
  storeOver,
  type Turn,
  topicOver,
  type World,
} from "./spaces-for-tests.ts";

const [ann, bob] = [idOf(11), idOf(12)];
/** One shared space, and Ann's own. */
const spaces = [idOf(1), ann] as const;
const tasks = [31, 32, 33].map(idOf);
const invitation = idOf(51);
const stepsMax = 260;
const turnsMax = 20_000;

/** The same rules but for one: a rule that was changed in an upgrade. */
const upgraded = registryOf(
  resourceTypes.map((type) =>
    type.name === "task"
      ? {
          ...type,
          guard(draft, before, fields) {
            type.guard?.(draft, before, fields);
            if (before !== undefined && /[0-2]$/.test(`${fields.title}`)) draft.refuse("conflict");
          },
        }
      : type,
  ),
);

/** Effects wait here for their turn; those of a crashed writer wait for ever. */
class Schedule {
  #waiting: { readonly owner: Owner; readonly go: () => void }[] = [];

  turnOf(owner: Owner): Turn {
    return () => new Promise((go) => this.#waiting.push({ owner, go }));
  }

  /** Gives one of the living its turn, and lets it come to its next effect. */
  async next(choose: Random): Promise<void> {
    this.#waiting = this.#waiting.filter(({ owner }) => !owner.isOver);
    if (this.#waiting.length > 0) this.#waiting.splice(choose.int(this.#waiting.length), 1)[0]?.go();
    await settled();
  }
}

type Owner = { isOver: boolean };

function settled(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/** Takes and projects until it is over, as the program does; what it waits for is the next turn. */
function startWriter(
  world: World,
  schedule: Schedule,
  choose: Random,
  with_: { types: Registry; without?: Mutation },
): Owner {
  const owner: Owner = { isOver: false };
  const turn = schedule.turnOf(owner);
  const { types, without } = with_;
  const ports = {
    store: storeOver(world, turn, without),
    topic: topicOver(world, turn, without),
    place: placeOver(world, turn),
    registry: types,
  };
  const stopAt = (failure: unknown): void => {
    owner.isOver = true;
    if (!(failure instanceof SupersededError)) world.faults.push(String(failure));
  };
  void (async () => {
    const writer = await PartitionWriter.takeOver(ports);
    const taking = async () => {
      while (!owner.isOver) {
        const batch = world.log.slice(writer.next, writer.next + 1 + choose.int(3));
        if (batch.length === 0) await turn();
        else await writer.take(batch);
      }
    };
    const projecting = async () => {
      while (!owner.isOver) if (!(await writer.project())) await turn();
    };
    await Promise.all([taking(), projecting()]);
  })().catch(stopAt);
  return owner;
}

/** A command on few tasks, sometimes one that was sent before, or another request under its key. */
function commandFor(choose: Random, earlier: readonly Command[]): { command: Command; isResent: boolean } {
  if (earlier.length > 0 && choose.chance(0.25)) {
    const first = choose.pick(earlier);
    return { command: choose.chance(0.3) ? { ...first, fingerprint: "another" } : first, isResent: true };
  }
  const spaceId = choose.pick(spaces);
  const userId = spaceId === ann || choose.chance(0.7) ? ann : bob;
  const of = { spaceId, userId, keyed: choose.chance(0.5), fingerprint: `${earlier.length}` };
  const past = earlier.filter((each) => each.spaceId === spaceId);
  if (past.length > 0 && choose.chance(0.1))
    return { command: undoOf(of, choose.pick(past).operationId), isResent: false };
  const id = choose.pick(tasks);
  const title = `Title ${choose.int(6)}`;
  const intent = (kind: Intent["kind"], body: Record<string, Json> = {}, at = id): Intent => ({
    type: "task",
    kind,
    id: at,
    body,
    ...(choose.chance(0.2) ? { expected: [1 + choose.int(3)] } : {}),
  });
  const intents = choose.pick<() => Intent[]>([
    () => [intent("create", { title })],
    () => [intent("create", { title })],
    () => [intent("patch", { title })],
    () => [intent("patch", { title })],
    () => [intent("patch", { parentId: choose.pick(tasks) })],
    () => [intent("patch", { position: { after: choose.pick(tasks) } })],
    () => [intent("delete")],
    () => [intent("restore")],
    () => [intent("undo")],
    () => tasks.slice(0, 2).map((each) => intent("patch", { title }, each)),
    () => [{ type: "invitation", kind: "accept", id: invitation, body: { tokenHash: "secret" } }],
    () => [{ type: "project", kind: "create", id: idOf(80 + earlier.length), body: { name: title, columns: [] } }],
  ])();
  return { command: commandOf(of, intents), isResent: false };
}

function append(world: World, { command, isResent }: { command: Command; isResent: boolean }): void {
  world.log.push({ position: world.log.length, command, isResent });
}

async function play(seed: number, options: { without?: Mutation; isUpgraded?: true } = {}): Promise<string[]> {
  const choose = random(seed);
  const schedule = new Schedule();
  const world = emptyWorld();
  const sent: Command[] = [];
  const send = (given: { command: Command; isResent: boolean }) => {
    append(world, given);
    if (!sent.includes(given.command)) sent.push(given.command);
  };
  const own = { spaceId: spaces[0], userId: ann };
  const invite = { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: "secret" };
  send({
    command: commandOf(own, [{ type: "space", kind: "create", id: spaces[0], body: { name: "Home" } }]),
    isResent: false,
  });
  send({
    command: commandOf(own, [{ type: "invitation", kind: "create", id: invitation, body: invite }]),
    isResent: false,
  });

  let types: Registry = registry;
  const more = options.without === undefined ? {} : { without: options.without };
  const start = () => startWriter(world, schedule, choose, { types, ...more });
  let live = [start()];
  for (let step = 0; step < stepsMax; step++) {
    const what = choose.int(100);
    live = live.filter(({ isOver }) => !isOver);
    if (what < 9) send(commandFor(choose, sent));
    else if (what < 12) {
      // All at once, or as an upgrade that replaces one after the other: what the older code goes on to decide and tells too late must count for nothing.
      const isRolling = options.isUpgraded === true && choose.chance(0.5);
      for (const writer of live) writer.isOver = !isRolling;
      if (options.isUpgraded === true && choose.chance(0.3)) types = upgraded;
      live = [...live.filter(({ isOver }) => !isOver), start()];
    } else if (what < 16 && live.length < 3) live.push(start());
    else if (what < 18 && live.length > 1) (live[choose.int(live.length)] as Owner).isOver = true;
    else if (live.length === 0) live = [start()];
    else await schedule.next(choose);
    checkSnapshot(world);
  }
  for (const writer of live) writer.isOver = choose.chance(0.5);
  let last = start();
  for (let turns = 0; world.committed < world.log.length; turns++) {
    if (turns > turnsMax) return [...world.faults, "the log is never done"];
    if (last.isOver) last = start();
    await schedule.next(choose);
    checkSnapshot(world);
  }
  for (let turns = 0; turns < 60; turns++) await schedule.next(choose);
  last.isOver = true;
  for (const writer of live) writer.isOver = true;
  return [...world.faults, ...faultsAtTheEnd(world, options.isUpgraded === true)];
}

/** Whoever reads the head first and then the documents sees at least what the head says, and finds the fact of each document. */
function checkSnapshot(world: World): void {
  for (const { spaceId, seq } of world.documents.values())
    if (!world.bySeq.has(`${spaceId} ${seq}`)) world.faults.push("a document has no fact");
  for (const [spaceId, head] of world.heads) {
    const latest = world.bySeq.get(`${spaceId} ${head.seq}`);
    if (head.seq > 0 && latest === undefined) world.faults.push(`the head is ahead of the facts`);
    for (const { id, version } of latest?.changes ?? [])
      if ((world.documents.get(`${spaceId} ${id}`)?.version ?? 0) < version)
        world.faults.push("the head is ahead of the documents");
  }
}

function outcomeOf(told: Told): string {
  if (told.kind === "decided") return `${told.fact.verdict} ${told.fact.refusal?.code ?? ""} ${told.fact.seq ?? ""}`;
  return told.kind === "repeated" ? `repeated ${told.first.position} ${told.isSame}` : told.kind;
}

function faultsAtTheEnd(world: World, isUpgraded: boolean): string[] {
  const faults: string[] = [];
  const told = new Map<number, string>();
  for (const verdict of world.told) {
    const outcome = outcomeOf(verdict);
    const before = told.get(verdict.position);
    // The first counts; only an older code may tell something else behind it.
    if (before !== undefined && before !== outcome && !isUpgraded)
      faults.push(`the verdict of ${verdict.position} changed: ${before} → ${outcome}`);
    told.set(verdict.position, before ?? outcome);
  }
  for (const { position } of world.log) if (!told.has(position)) faults.push(`${position} has no verdict`);
  faults.push(...(isUpgraded ? differencesFromFacts(world) : differencesFromReference(world)));
  return faults;
}

/** What one writer that never fails would have made of the log. */
function differencesFromReference(world: World): string[] {
  const faults: string[] = [];
  const reference = new Map(spaces.map((spaceId) => [spaceId as string, new SpaceForTests()]));
  for (const { position, command } of world.log) {
    const space = reference.get(command.spaceId);
    if (space === undefined || space.facts.some(({ operationId }) => operationId === command.operationId)) continue;
    const expected: Fact = { ...space.take(command).fact, position };
    const kept = world.facts.get(`${command.spaceId} ${command.operationId}`);
    if (!isSame(plain(kept), plain(expected))) faults.push(`the fact of ${position} differs`);
  }
  for (const [spaceId, space] of reference) {
    for (const [id, document] of space.documents)
      if (!isSame(plain(world.documents.get(`${spaceId} ${id}`)), plain(document)))
        faults.push(`the document ${id} differs`);
    const head = world.heads.get(spaceId);
    if (
      space.head !== null &&
      (head?.seq !== space.head.seq || !isSame(plain(head?.members), plain(space.head.members)))
    )
      faults.push(`the head of ${spaceId} differs`);
  }
  return faults;
}

/** With two codes no reference decides alike: what is kept must at least be what was told, and documents what the facts make of them. */
function differencesFromFacts(world: World): string[] {
  const faults: string[] = [];
  const first = new Map(world.told.toReversed().map((verdict) => [verdict.position, verdict]));
  for (const verdict of first.values()) {
    if (verdict.kind !== "decided") continue;
    const kept = world.facts.get(`${verdict.spaceId} ${verdict.operationId}`);
    if (kept?.verdict !== verdict.fact.verdict || kept.seq !== verdict.fact.seq)
      faults.push(`${verdict.position} was told otherwise`);
  }
  for (const spaceId of spaces) {
    const facts = [...world.facts.values()].filter((fact) => fact.spaceId === spaceId && fact.seq !== undefined);
    const seqs = facts.map(({ seq }) => seq as number).toSorted((a, b) => a - b);
    if (seqs.some((seq, index) => seq !== index + 1)) faults.push(`the facts of ${spaceId} have a gap`);
    const latest = new Map<string, number>();
    for (const { changes } of facts)
      for (const { id, version } of changes) latest.set(id, Math.max(latest.get(id) ?? 0, version));
    for (const [id, version] of latest)
      if (world.documents.get(`${spaceId} ${id}`)?.version !== version)
        faults.push(`the document ${id} is not at its last version`);
  }
  return faults;
}

function plain(value: Fact | Document | readonly object[] | undefined): Json {
  return value === undefined ? null : (JSON.parse(JSON.stringify(value)) as Json);
}

async function failing(count: number, options: Parameters<typeof play>[1]): Promise<string[]> {
  const found: string[] = [];
  for (let seed = 1; seed <= count; seed++) {
    const [fault] = await play(seed, options);
    if (fault !== undefined) found.push(`seed ${seed}: ${fault}`);
  }
  return found;
}

test("whatever happens to its writers, a partition comes to what one that never fails makes of its log", async () => {
  expect(await failing(schedules(100), {})).toEqual([]);
}, 600_000);

test("an upgrade that decides otherwise changes no verdict that was told", async () => {
  expect(await failing(schedules(100), { isUpgraded: true })).toEqual([]);
}, 600_000);

test.each<[Mutation, { isUpgraded?: true }]>([
  ["documents-before-facts", {}],
  ["heads-before-documents", {}],
  ["a-known-fact-is-projected", {}],
  ["decide-again", {}],
  ["no-guard", {}],
  ["not-told-first", { isUpgraded: true }],
  ["commit-before-projection", {}],
  ["no-tail", { isUpgraded: true }],
])(
  "the invariants notice a writer with %s taken away",
  async (without, more) => {
    for (let seed = 1; seed <= 3_000; seed++) if ((await play(seed, { without, ...more })).length > 0) return;
    throw new Error("Not noticed in 3,000 schedules");
  },
  600_000,
);
