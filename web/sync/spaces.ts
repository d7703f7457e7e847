/** The spaces of the user: which there are, their documents, and how they are brought up to date. */
import { effect, signal } from "@preact/signals";
import type { Document } from "../../actors/resources/document.ts";
import type { FeedFact } from "../../actors/resources/fact.ts";
import { registry } from "../../actors/resources/registry.ts";
import {
  emptied,
  readKept,
  readSpace,
  removeDocuments,
  removeSpace,
  writeDocuments,
  writeKept,
  writeSpace,
} from "../store/database.ts";
import { doneDays, withoutLongAgo } from "../store/long-ago.ts";
import { entries } from "../store/outbox.ts";
import { forgetSettings, noticeOverwriting } from "../store/overwritten.ts";
import { documentOf, type Resource, SpaceStore } from "../store/space-store.ts";
import { removeTold, showPendingOf } from "./pending.ts";
import { sendAgainFrom } from "./sending.ts";
import { call, getJson, Refusal, user } from "./session.ts";
import { isLeader, tell } from "./tabs.ts";

export type SpaceEntry = { readonly id: string; readonly name: string; readonly role: string };

export const spaces = signal<readonly SpaceEntry[]>([]);
/** Lines of a snapshot that is being read, by space. */
export const loading = signal<ReadonlyMap<string, number>>(new Map());
/** Spaces that were there and are no more. */
export const lost = signal<readonly string[]>([]);

const stores = new Map<string, SpaceStore>();
const chains = new Map<string, Promise<void>>();
const opening = new Map<string, Promise<void>>();
const factsAtOnce = 1_000;
const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const paintTimeoutMs = 1_000;
const snapshotTimeoutMs = 120_000;

export function storeOf(spaceId: string): SpaceStore {
  let store = stores.get(spaceId);
  if (store === undefined) {
    store = new SpaceStore(spaceId, user.peek()?.id ?? "");
    stores.set(spaceId, store);
  }
  return store;
}

/** One thing after the other within a space; none of it once its user has gone. */
export function inTurn(spaceId: string, work: () => Promise<void>): Promise<void> {
  if (user.peek() == null) return Promise.resolve();
  const store = storeOf(spaceId);
  const still = async () => {
    if (isCurrent(store)) await work();
  };
  const next = (chains.get(spaceId) ?? Promise.resolve()).then(still, still);
  chains.set(spaceId, next);
  return next;
}

/** False after a sign-out, and where the membership has ended: what comes late then is neither shown nor kept. */
export const isCurrent = (store: SpaceStore): boolean => stores.get(store.id) === store;

/** Names as this browser knew them last; then as the server has them. */
export async function openSpaces(): Promise<void> {
  const known = await readKept<SpaceEntry[]>("spaces");
  if (known !== undefined) spaces.value = known;
  await Promise.all(spaces.value.map(({ id }) => openSpace(id)));
}

// The browser's user cleared what it keeps, and the page goes on.
effect(() => {
  if (emptied.value > 0 && user.peek() != null) void keepAgain();
});

async function keepAgain(): Promise<void> {
  await writeKept("spaces", spaces.peek());
  for (const store of stores.values())
    void inTurn(store.id, async () => {
      const { id: spaceId, seq, epoch } = store;
      if (seq >= 0) await writeSpace({ spaceId, seq, epoch }, store.documents());
    });
}

/** From the browser's own store. */
function openSpace(spaceId: string): Promise<void> {
  let open = opening.get(spaceId);
  if (open === undefined) {
    open = inTurn(spaceId, () => reload(spaceId, { isFirst: true }));
    opening.set(spaceId, open);
  }
  return open;
}

/** `isAnew`: what is kept may be further back, as after a snapshot from a backup. `isFirst`: nothing of it is open yet, and what was for long may go. */
async function reload(spaceId: string, { isAnew = false, isFirst = false } = {}): Promise<void> {
  const kept = await readSpace(spaceId);
  const store = storeOf(spaceId);
  if (kept === undefined || !(isAnew || kept.state.seq >= store.seq)) return;
  const { stay, go } = isFirst ? withoutLongAgo(kept.documents, namedInOutbox()) : { stay: kept.documents, go: [] };
  store.load(kept.state, stay);
  showPendingOf(spaceId);
  if (go.length > 0) void removeDocuments(go);
}

/** Ids, of whatever is named: what a waiting change is about or refers to. */
function namedInOutbox(): ReadonlySet<string> {
  return new Set(JSON.stringify(entries.peek().map(({ request }) => request)).match(uuids));
}

/** Another tab has taken a snapshot. */
export function reopen(spaceId: string): Promise<void> {
  return inTurn(spaceId, () => reload(spaceId, { isAnew: true }));
}

type Listed = { readonly space: Resource; readonly member: Resource; readonly seq: number };

let listing: Promise<unknown> = Promise.resolve();

/** One after the other: an earlier list that comes later would end what began in between. Answers how far the server is in each. */
export function listSpaces(): Promise<{ id: string; seq: number }[]> {
  const next = listing.then(list, list);
  listing = next.catch(() => undefined);
  return next;
}

/** Of what one has left or deleted on purpose it is no news that it has gone. */
export async function listAfterLeaving(spaceId: string): Promise<void> {
  await listSpaces();
  lost.value = lost.value.filter((id) => id !== spaceId);
}

async function list(): Promise<{ id: string; seq: number }[]> {
  const { items } = await getJson<{ items: Listed[] }>("/v1/spaces");
  // Told as lost while it is still among those that were there.
  for (const { id } of spaces.value) if (!items.some(({ space }) => space.id === id)) await forget(id);
  spaces.value = items.map(({ space, member }) => ({
    id: space.id,
    name: space.name as string,
    role: member.role as string,
  }));
  await writeKept("spaces", spaces.value);
  tell({ kind: "spaces" });
  await Promise.all(items.map(({ space }) => openSpace(space.id)));
  return items.map(({ space, seq }) => ({ id: space.id, seq }));
}

/** The browser's own list, after another tab changed it. */
export async function rereadSpaces(): Promise<void> {
  const who = user.peek()?.id;
  const kept = (await readKept<SpaceEntry[]>("spaces")) ?? spaces.value;
  if (user.peek()?.id !== who) return;
  for (const { id } of spaces.value) if (!kept.some((each) => each.id === id)) drop(id);
  spaces.value = kept;
  await Promise.all(spaces.value.map(({ id }) => openSpace(id)));
}

/** The membership has ended: nothing of the space stays. */
export async function forget(spaceId: string): Promise<void> {
  drop(spaceId);
  await writeKept("spaces", spaces.value);
  await removeSpace(spaceId);
  tell({ kind: "spaces" });
}

function drop(spaceId: string): void {
  if (spaces.value.some(({ id }) => id === spaceId)) lost.value = [...lost.value, spaceId];
  spaces.value = spaces.value.filter(({ id }) => id !== spaceId);
  stores.delete(spaceId);
  opening.delete(spaceId);
}

/** Whether it has been told all that the server has; `epoch` as the server just named it. */
export function catchUp(spaceId: string, told?: { seq: number; epoch?: string }): Promise<void> {
  return inTurn(spaceId, async () => {
    const store = storeOf(spaceId);
    if (told?.epoch !== undefined) await sendAgainFrom(spaceId, told.seq + 1);
    const isOther = told?.epoch !== undefined && store.epoch !== told.epoch;
    if (store.seq < 0 || isOther) return await snapshot(spaceId);
    // Whatever was in the way of this space has been written by now.
    removeTold(spaceId, store.seq);
    // A server that says hello from further back goes on from an older backup, or says so when it is asked. Without a name of its store it is only late.
    const isBack = told?.epoch !== undefined && told.seq < store.seq;
    if (told !== undefined && told.seq <= store.seq && !isBack) return;
    try {
      await readFacts(store);
    } catch (error) {
      if (!(error instanceof Refusal && error.problem.code === "resync")) throw error;
      await snapshot(spaceId);
    }
  });
}

type Page = { readonly items: FeedFact[]; readonly after: number; readonly seq: number };

async function readFacts(store: SpaceStore): Promise<void> {
  for (;;) {
    const query = `after=${store.seq}&limit=${factsAtOnce}&epoch=${encodeURIComponent(store.epoch)}`;
    const page = await getJson<Page>(`/v1/spaces/${store.id}/facts?${query}`);
    for (const fact of page.items) await takeNext(store, fact);
    if (!isCurrent(store)) return;
    if (page.items.length === 0 || store.seq >= page.seq) return;
  }
}

/** All of it anew. What is waiting stays. */
async function snapshot(spaceId: string): Promise<void> {
  const store = storeOf(spaceId);
  const answer = await call("GET", `/v1/spaces/${spaceId}/snapshot?done=${doneDays}`, {
    signal: AbortSignal.timeout(snapshotTimeoutMs),
  });
  const documents: Document[] = [];
  let state: { seq: number; epoch: string } | undefined;
  let isWhole = false;
  for await (const line of linesOf(answer)) {
    const told = JSON.parse(line) as { seq?: number; epoch?: string; end?: true; type?: string; resource?: Resource };
    if (told.end === true) isWhole = true;
    else if (told.resource !== undefined) documents.push(documentOf(told.type ?? "", told.resource, state?.seq ?? 0));
    else state = { seq: told.seq ?? 0, epoch: told.epoch ?? "" };
    if (documents.length % 500 === 0) loading.value = new Map(loading.value).set(spaceId, documents.length);
  }
  loading.value = new Map([...loading.value].filter(([id]) => id !== spaceId));
  if (state === undefined || !isWhole) throw new Error("Cannot read the snapshot: it ended early");
  if (!isCurrent(store)) return;
  store.load(state, documents);
  showPendingOf(spaceId);
  await painted();
  if (!isCurrent(store)) return;
  await writeSpace({ spaceId, ...state }, documents);
  removeTold(spaceId, state.seq);
  tell({ kind: "space", spaceId });
}

/** What was read is shown before it is kept. A tab in the background paints nothing. */
function painted(): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, paintTimeoutMs);
    requestAnimationFrame(() =>
      setTimeout(() => {
        clearTimeout(timer);
        resolve();
      }),
    );
  });
}

async function* linesOf(answer: Response): AsyncGenerator<string> {
  let rest = "";
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const next = await reader?.read();
    if (next === undefined || next.done) break;
    const lines = (rest + next.value).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** A fact from the stream. */
export function takeFact(fact: FeedFact): Promise<void> {
  return inTurn(fact.spaceId, async () => {
    const store = storeOf(fact.spaceId);
    if (store.seq < 0) return await snapshot(fact.spaceId);
    if (fact.seq > store.seq + 1) return await readFacts(store);
    await takeNext(store, fact);
  });
}

/** A fact that another tab heard: it has been kept already. */
export function takeToldFact(fact: FeedFact): Promise<void> {
  return inTurn(fact.spaceId, async () => {
    const store = storeOf(fact.spaceId);
    if (fact.seq === store.seq + 1) {
      noticeOverwriting(fact, user.peek()?.id ?? "", entries.peek());
      // What this tab lacks of it, the other one has read and kept.
      if (store.take(fact).toRead.length > 0) await reload(fact.spaceId);
      else showPendingOf(store.id);
    } else if (fact.seq > store.seq) await reload(fact.spaceId);
  });
}

async function takeNext(store: SpaceStore, given: FeedFact): Promise<void> {
  if (given.seq <= store.seq) return;
  const fact = given.partial === true ? await getJson<FeedFact>(`/v1/spaces/${store.id}/facts/${given.seq}`) : given;
  if (!isCurrent(store)) return;
  noticeOverwriting(fact, user.peek()?.id ?? "", entries.peek());
  const { changed, toRead } = store.take(fact);
  showPendingOf(store.id);
  try {
    for (const each of toRead) {
      const document = await readOne(store, each.type, each.id);
      if (document !== undefined) changed.push(document);
    }
  } catch (error) {
    // The fact is not taken as a whole: it is to be told again, and what it has changed already is left alone then.
    if (isCurrent(store)) {
      store.seq = fact.seq - 1;
      await writeDocuments(store.id, changed);
    }
    throw error;
  }
  if (!isCurrent(store)) return;
  const state = { spaceId: store.id, seq: store.seq, epoch: store.epoch };
  if ((await writeSpace(state, changed, { after: fact.seq - 1 })) === false) await writeSpace(state, store.documents());
  removeTold(store.id, store.seq);
  if (isLeader.value) tell({ kind: "fact", fact });
  const own = changed.find(({ type }) => type === "space");
  if (own !== undefined) renamed(store.id, own.fields.name as string);
}

function renamed(spaceId: string, name: string): void {
  spaces.value = spaces.value.map((each) => (each.id === spaceId ? { ...each, name } : each));
}

/** What a fact cannot tell: a resource of which this browser lacks a version. Undefined where there is none. */
export async function readOne(store: SpaceStore, type: string, id: string): Promise<Document | undefined> {
  try {
    const plural = registry.get(type)?.plural ?? type;
    return store.put(type, await getJson<Resource>(`/v1/spaces/${store.id}/${plural}/${id}`));
  } catch (error) {
    if (error instanceof Refusal && error.problem.status === 404) return undefined;
    throw error;
  }
}

export function forgetAll(): void {
  forgetSettings();
  listing = Promise.resolve();
  stores.clear();
  chains.clear();
  opening.clear();
  spaces.value = [];
  lost.value = [];
}
