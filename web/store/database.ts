/** What the page keeps in the browser: documents of spaces, how far they are, changes that are waiting, names of people. */
import { signal } from "@preact/signals";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Document } from "../../actors/resources/document.ts";
import { storageName } from "../base.ts";
import type { Entry } from "./outbox.ts";

export type SpaceState = { readonly spaceId: string; readonly seq: number; readonly epoch: string };

interface Kept extends DBSchema {
  spaces: { key: string; value: SpaceState };
  documents: { key: [string, string]; value: Document };
  outbox: { key: string; value: Entry };
  kept: { key: string; value: unknown };
}

/** False where the browser keeps nothing: storage is forbidden, full or broken. All goes on from memory then, for as long as the page is open. */
export const isKeeping = signal(true);
/** How often all that was kept has gone while the page was open. */
export const emptied = signal(0);

/** Browsers have been seen that never answer. */
const openTimeoutMs = 10_000;
type Database = IDBPDatabase<Kept>;
let opened: Promise<Database> | undefined;
let wasOpen = false;
/** What another user left could not be cleared: then nothing is read. */
let isBarred = false;

function database(): Promise<Database> {
  if (opened !== undefined) return opened;
  const closed = () => {
    if (opened === opening) opened = undefined;
  };
  const open = async () =>
    await openDB<Kept>(storageName("data"), 1, {
      upgrade(made) {
        made.createObjectStore("spaces", { keyPath: "spaceId" });
        made.createObjectStore("documents", { keyPath: ["spaceId", "id"] });
        made.createObjectStore("outbox", { keyPath: "key" });
        made.createObjectStore("kept");
        if (wasOpen) emptied.value += 1;
      },
      blocking(_from, _to, event) {
        (event.target as IDBDatabase).close();
        closed();
      },
      terminated: closed,
    });
  const opening = inTime(open());
  opening.then(() => {
    wasOpen = true;
  }, closed);
  opened = opening;
  return opening;
}

function inTime(opening: Promise<Database>): Promise<Database> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("Cannot open the browser's storage in time")), openTimeoutMs);
    opening.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Undefined where the browser cannot do it. */
async function reading<Result>(work: (db: Database) => Promise<Result>): Promise<Result | undefined> {
  if (isBarred) return undefined;
  for (let tries = 0; ; tries++) {
    const opening = database();
    try {
      return await work(await opening);
    } catch (error) {
      // Closed by the browser, when its user cleared what it keeps, say: it can be opened again.
      const isClosed = error instanceof DOMException && error.name === "InvalidStateError";
      if (isClosed && opened === opening) opened = undefined;
      if (isClosed && tries === 0) continue;
      isKeeping.value = false;
      return undefined;
    }
  }
}

async function writing<Result>(work: (db: Database) => Promise<Result>): Promise<Result | undefined> {
  let isDone = false;
  const result = await reading(async (db) => {
    const done = await work(db);
    isDone = true;
    return done;
  });
  if (isDone) isKeeping.value = true;
  return result;
}

const sliceCount = 200;
const allOf = (spaceId: string) => IDBKeyRange.bound([spaceId, ""], [spaceId, "\uffff"]);

export async function readSpace(spaceId: string): Promise<{ state: SpaceState; documents: Document[] } | undefined> {
  return await reading(async (db) => {
    const from = db.transaction(["spaces", "documents"]);
    const [state, documents] = await Promise.all([
      from.objectStore("spaces").get(spaceId),
      from.objectStore("documents").getAll(allOf(spaceId)),
    ]);
    return state === undefined ? undefined : { state, documents };
  });
}

/**
 * Both together or none: the documents are always those of that `seq`. `after`: they are what has changed since that one; without it they are all. False
 * where it is not what is kept, since something could not be written: then all must be. Undefined where nothing can be written.
 */
export async function writeSpace(
  state: SpaceState,
  documents: Iterable<Document>,
  { after }: { after?: number } = {},
): Promise<boolean | undefined> {
  return await writing(async (db) => {
    const into = db.transaction(["spaces", "documents"], "readwrite");
    const kept = into.objectStore("documents");
    if (after !== undefined) {
      const before = await into.objectStore("spaces").get(state.spaceId);
      if (before === undefined || before.epoch !== state.epoch || before.seq < after) return false;
      // Where there are no locks, another tab may have been sooner.
      if (before.seq > after) return true;
    }
    const requests: Promise<unknown>[] = after === undefined ? [kept.delete(allOf(state.spaceId))] : [];
    // In slices: each put copies its document at once, and many of them would hold up what is on the screen.
    for (const document of documents) {
      requests.push(kept.put(document));
      if (requests.length % sliceCount === 0) await Promise.all(requests.splice(0));
    }
    requests.push(into.objectStore("spaces").put(state), into.done);
    await Promise.all(requests);
    return true;
  });
}

/** Some that were read by themselves, where the space is kept: nothing of one that was left meanwhile. */
export async function writeDocuments(spaceId: string, documents: readonly Document[]): Promise<void> {
  await writing(async (db) => {
    const into = db.transaction(["spaces", "documents"], "readwrite");
    if ((await into.objectStore("spaces").getKey(spaceId)) === undefined) return;
    await Promise.all([...documents.map((document) => into.objectStore("documents").put(document)), into.done]);
  });
}

/** Those that are still kept in the same version: another tab may have kept a later one meanwhile. */
export async function removeDocuments(documents: readonly Document[]): Promise<void> {
  await writing(async (db) => {
    const from = db.transaction("documents", "readwrite");
    const removed = documents.map(async ({ spaceId, id, version }) => {
      const kept = await from.store.get([spaceId, id]);
      if (kept?.version === version) await from.store.delete([spaceId, id]);
    });
    await Promise.all([...removed, from.done]);
  });
}

export async function removeSpace(spaceId: string): Promise<void> {
  await writing(async (db) => {
    const into = db.transaction(["spaces", "documents"], "readwrite");
    const documents = into.objectStore("documents").delete(allOf(spaceId));
    await Promise.all([documents, into.objectStore("spaces").delete(spaceId), into.done]);
  });
}

/** In the order in which they were made. */
export async function readOutbox(): Promise<Entry[] | undefined> {
  return await reading(async (db) => (await db.getAll("outbox")).sort((a, b) => a.order - b.order));
}

/** Committed at once, without waiting to hear of it: a page that is left in the same moment leaves the change to the browser. True once it is kept. */
export async function writeEntry(entry: Entry): Promise<boolean> {
  const isKept = await writing(async (db) => {
    const into = db.transaction("outbox", "readwrite");
    const put = into.store.put(entry);
    into.commit();
    await Promise.all([put, into.done]);
    return true;
  });
  return isKept === true;
}

export async function removeEntry(key: string): Promise<void> {
  await writing((db) => db.delete("outbox", key));
}

export async function readKept<Value>(name: string): Promise<Value | undefined> {
  return (await reading((db) => db.get("kept", name))) as Value | undefined;
}

export async function writeKept(name: string, value: unknown): Promise<void> {
  await writing((db) => db.put("kept", value, name));
}

/**
 * At the end of a session nothing of it stays, and what another user left is not shown to this one: where it cannot be cleared, false, and the page neither
 * reads nor keeps anything until it is.
 */
export async function clearAll(): Promise<boolean> {
  isBarred = false;
  const cleared = await writing((db) =>
    Promise.all((["spaces", "documents", "outbox", "kept"] as const).map((name) => db.clear(name))),
  );
  isBarred = cleared === undefined;
  return !isBarred;
}
