/**
 * The keepers and the `task` workers around one cache, over thousands of schedules: what is cached and taken for current is never older than what
 * had been announced, and the cache comes to rest. Each seed is one schedule; a failing one is named and plays again.
 */
import { describe, expect, test } from "bun:test";
import { type Random, random } from "../../tests/system/random.ts";
import { schedules } from "../../tests/system/schedules.ts";
import { type Memory, type MemoryCache, memoryCache, type Without } from "../redis/space-cache-for-tests.ts";
import { unmarkedMs } from "../redis/space-cache-scripts.ts";
import { idOf } from "../resources/space-for-tests.ts";
import type { SpaceCache } from "../task/servers/cache.ts";
import { type KeptResource, ofSpaces } from "./cache-redis.ts";
import { type Keeping, type KeptCache, keeping } from "./keep.ts";
import {
  endOf,
  entryOf,
  partitions,
  type Said,
  sayChange,
  type Task,
  tasks,
  userId,
  versionAt,
} from "./told-for-tests.ts";

const ticks = 40;

/** What a test takes away, to see that the invariants notice. */
type Broken = {
  readonly without?: Without;
  readonly kept?: (cache: KeptCache<KeptResource>) => KeptCache<KeptResource>;
  readonly keeps?: (keeps: Keeping<Said>) => Keeping<Said>;
  readonly positionOf?: (said: Said) => number;
};

type Committed = { offset: number; mark: number | undefined };
type Keeper = {
  readonly keeps: Keeping<Said>;
  readonly owns: Map<number, Committed>;
  readonly busy: Set<number>;
  over: boolean;
};
type Parked = {
  readonly sinceMs: number;
  readonly keeper: Keeper | undefined;
  readonly go: () => void;
  readonly fail: (error: Error) => void;
};

type World = {
  readonly choose: Random;
  readonly cache: MemoryCache;
  readonly broken: Broken;
  nowMs: number;
  parked: Parked[];
  /** By partition, what has been announced, in order. */
  readonly said: Said[][];
  /** By partition, where the group is. */
  readonly committed: Committed[];
  readonly keepers: Keeper[];
  readonly owner: Keeper[];
  emptied: number;
};

function world(seed: number, broken: Broken): World {
  const made: World = {
    choose: random(seed),
    cache: undefined as never,
    broken,
    nowMs: 1_000_000,
    parked: [],
    said: Array.from({ length: partitions }, () => []),
    committed: Array.from({ length: partitions }, () => ({ offset: 0, mark: undefined })),
    keepers: [],
    owner: [],
    emptied: 0,
  };
  return Object.assign(made, { cache: memoryCache(() => made.nowMs, broken.without) });
}

const turnOf = (here: World, keeper?: Keeper) => (): Promise<void> =>
  new Promise((go, fail) => {
    if (keeper?.over !== true) here.parked.push({ sinceMs: here.nowMs, keeper, go, fail });
  });

function newKeeper(here: World): Keeper {
  const { broken, cache } = here;
  const keeps = keeping({
    ...ofSpaces,
    ...(broken.positionOf === undefined ? {} : { positionOf: broken.positionOf }),
    cache: (broken.kept ?? ((plain) => plain))(cache.keptCache(() => turnOf(here, keeper)())),
    now: () => here.nowMs,
    emptied: () => void (here.emptied += 1),
  });
  const keeper: Keeper = {
    keeps: (broken.keeps ?? ((plain) => plain))(keeps),
    owns: new Map(),
    busy: new Set(),
    over: false,
  };
  here.keepers.push(keeper);
  return keeper;
}

/** Gives the partitions to keepers, as a rebalance does; whoever had them goes on with what is in hand. */
function assign(here: World, keepers: readonly Keeper[]): void {
  const marks = new Map(keepers.map((keeper) => [keeper, new Map<number, number | undefined>()]));
  for (let partition = 0; partition < partitions; partition += 1) {
    const keeper = here.choose.pick(keepers);
    here.owner[partition] = keeper;
    marks.get(keeper)?.set(partition, here.committed[partition]?.mark);
  }
  for (const [keeper, own] of marks) {
    for (const partition of keeper.owns.keys()) if (!own.has(partition)) keeper.owns.delete(partition);
    for (const partition of own.keys())
      if (!keeper.owns.has(partition)) keeper.owns.set(partition, { ...(here.committed[partition] as Committed) });
    keeper.keeps.assigned(own);
  }
}

/** The next announcements of a partition, until they are in the cache and committed, or given up. */
async function keep(here: World, keeper: Keeper, partition: number): Promise<void> {
  const place = keeper.owns.get(partition);
  const said = here.said[partition] ?? [];
  if (place === undefined || keeper.busy.has(partition) || place.offset >= said.length) return;
  keeper.busy.add(partition);
  const batch = said.slice(place.offset, place.offset + 1 + here.choose.int(4));
  const mark = await keeper.keeps.take(partition, batch).catch(() => "failed" as const);
  keeper.busy.delete(partition);
  if (mark === "failed" || keeper.over) return;
  place.offset += batch.length;
  if (here.owner[partition] === keeper) here.committed[partition] = { offset: place.offset, mark };
}

/** Told, and written through by the worker that asked for it, sooner or later. */
function change(here: World, task: Task): void {
  const { partition, spaceId } = task;
  const { position, changed } = sayChange(here.said[partition] as Said[], task, here.choose);
  const worker = here.cache.cache(turnOf(here));
  for (const { id, version } of changed)
    if (here.choose.chance(0.7)) {
      const resource = { id, entry: entryOf(version, position) };
      const write = { userId, spaceId, operationId: idOf(1_000 + position), resource, isPending: false };
      worker.wrote({ ...write, position: { partition, offset: position } }).catch(() => undefined);
    }
}

/** A worker that has heard all that is told reads, and fills a miss with what it finds in the read model. */
async function read(here: World, task: Task): Promise<void> {
  const worker: SpaceCache = here.cache.cache(turnOf(here));
  const { lease } = await worker.read(userId, task);
  if (lease === undefined) return;
  const asOf = endOf(here.said[task.partition] ?? []);
  const version = versionAt(here.said[task.partition] ?? [], task, asOf);
  if (version > 0) await worker.fill(task, entryOf(version, asOf), lease);
}

/** Whoever has just started remembers nothing, and only knows how far it is told: `isCurrent` in task/consistent-reads.ts. */
function stale(here: World): string | undefined {
  for (const task of tasks) {
    const { entry, kept } = here.cache.look(task);
    if (entry === undefined) continue;
    const end = endOf(here.said[task.partition] ?? []);
    for (let least = 0; least <= end; least += 1)
      if (
        (entry.asOf >= least || kept >= least) &&
        entry.version < versionAt(here.said[task.partition] ?? [], task, least)
      )
        return `${task.id} is taken for current at ${least} with version ${entry.version} (asOf ${entry.asOf}, kept ${kept})`;
  }
  return undefined;
}

async function settled(): Promise<void> {
  for (let tick = 0; tick < ticks; tick += 1) await undefined;
}

/** Time goes on; nothing is under way for longer than the cache allows for. */
function pass(here: World, ms: number): void {
  const oldest = Math.min(...here.parked.map(({ sinceMs }) => sinceMs));
  here.nowMs = Math.min(here.nowMs + ms, oldest + unmarkedMs - 1);
}

/** Plays one schedule; what went wrong. */
async function play(seed: number, broken: Broken = {}): Promise<string | undefined> {
  const here = world(seed, broken);
  const { choose, cache } = here;
  let old: Memory = cache.copy();
  assign(here, [newKeeper(here)]);
  const used = tasks.slice(0, choose.pick([1, 2, 4]));
  let disasters = choose.int(4);
  let rebalances = choose.int(4);
  const evictions = choose.pick([2, 5, 15]);
  if (choose.chance(0.7)) {
    for (const task of used) change(here, task);
    await quietRounds(here, 3);
  }
  for (let step = 0; step < 150; step += 1) {
    const [first] = here.keepers;
    const what = choose.int(100);
    if (what < 12) change(here, choose.pick(used));
    else if (what < 24) read(here, choose.pick(used)).catch(() => undefined);
    else if (what < 36) void keep(here, choose.pick(here.keepers), choose.int(partitions));
    else if (what < 38)
      void choose
        .pick(here.keepers)
        .keeps.tick()
        .catch(() => undefined);
    else if (what < 43) pass(here, choose.int(2_000));
    else if (what < 43 + evictions) cache.evict(choose.pick(used));
    else if (what < 45 + evictions) old = cache.copy();
    else if (what < 47 + evictions && disasters > 0) {
      disasters -= 1;
      if (choose.chance(0.5)) cache.flush();
      else restart(here, old);
    } else if (what < 50 + evictions && rebalances > 0) {
      rebalances -= 1;
      if (choose.chance(0.3) && first !== undefined) end(here, first);
      const others = here.keepers.filter(({ over }) => !over && choose.chance(0.4));
      assign(here, [newKeeper(here), ...others]);
    } else if (here.parked.length > 0) {
      // A keeper has one connection, on which things are done in the order in which they were asked for.
      const picked = choose.pick(here.parked);
      const next = here.parked.find(({ keeper }) => keeper !== undefined && keeper === picked.keeper) ?? picked;
      here.parked = here.parked.filter((each) => each !== next);
      if (choose.chance(0.05)) next.fail(new Error("Lost"));
      else next.go();
    }
    await settled();
    const found = stale(here);
    if (found !== undefined) return `step ${step}: ${found}`;
  }
  return comesToRest(here);
}

/** Redis starts again from an old file: what is under way is lost. */
function restart(here: World, old: Memory): void {
  here.cache.restore(old);
  for (const { fail } of here.parked) fail(new Error("Lost"));
  here.parked = [];
}

function end(here: World, keeper: Keeper): void {
  keeper.over = true;
  here.parked = here.parked.filter((each) => each.keeper !== keeper);
}

/** Time in which nothing goes wrong: each round lasts longer than a rest. */
async function quietRounds(here: World, count: number): Promise<void> {
  const quiet = async () => {
    await settled();
    while (here.parked.length > 0) {
      here.parked.shift()?.go();
      await settled();
    }
  };
  for (let round = 0; round < count; round += 1) {
    for (const keeper of new Set(here.owner)) {
      for (let partition = 0; partition < partitions; partition += 1) void keep(here, keeper, partition);
      await quiet();
      void keeper.keeps.tick();
      await quiet();
    }
    here.nowMs += 5_000;
  }
}

/** In the end marks are there, all is applied, and changes now and then do not empty the cache again. */
async function comesToRest(here: World): Promise<string | undefined> {
  await quietRounds(here, 60);
  const before = here.emptied;
  for (const task of tasks) {
    change(here, task);
    await quietRounds(here, 4);
  }
  if (here.emptied > before) return "the cache is emptied again and again";
  for (let partition = 0; partition < partitions; partition += 1)
    if (here.cache.mark(partition) !== endOf(here.said[partition] ?? []))
      return `partition ${partition} has no mark at its end`;
  return stale(here);
}

/** The first seed that fails, and why. */
async function failing(seeds: number, broken?: Broken): Promise<[seed: number, why: string] | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const why = await play(seed, broken);
    if (why !== undefined) return [seed, why];
  }
  return undefined;
}

test("in thousands of schedules nothing old is taken for current, and the cache comes to rest", async () => {
  expect(await failing(schedules(200))).toBeUndefined();
}, 120_000);

describe("the simulation notices", () => {
  const mutants: Record<string, Broken> = {
    "a write where there is nothing of what the mark has passed": { without: "look at the mark" },
    "an older entry written over a newer one": { without: "look at the version" },
    "a mark that speaks for what was written without one": { without: "look at the life" },
    "a fill without its lease": { without: "look at the lease" },
    "a write that leaves the lease of a fill": { without: "end the lease" },
    "a mark that is not compared": { without: "look at what the mark was" },
    "entries that live long without a mark": { without: "a short life without a mark" },
    "a mark that is made before what it stands for": {
      kept: (cache) => ({
        ...cache,
        keep: async (partition, kept, mark) =>
          (await cache.keep(partition, [], mark)) && (await cache.keep(partition, kept, undefined)),
      }),
    },
    "a keeper that takes what another has written for its own": {
      keeps: (keeps) => ({
        ...keeps,
        assigned: (marks) => keeps.assigned(new Map([...marks.keys()].map((partition) => [partition, 0]))),
      }),
    },
    "how far the read model is, taken for what is in the cache": { positionOf: ({ position }) => position },
  };
  for (const [what, broken] of Object.entries(mutants))
    test(what, async () => {
      expect(await failing(2_000, broken)).toBeDefined();
    }, 120_000);
});
