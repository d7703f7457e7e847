/** What the page keeps in the browser: documents of spaces, how far they are, changes that are waiting, names of people. */
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

let opened: Promise<IDBPDatabase<Kept>> | undefined;

function database(): Promise<IDBPDatabase<Kept>> {
  opened ??= openDB<Kept>(storageName("data"), 1, {
    upgrade(made) {
      made.createObjectStore("spaces", { keyPath: "spaceId" });
      made.createObjectStore("documents", { keyPath: ["spaceId", "id"] });
      made.createObjectStore("outbox", { keyPath: "key" });
      made.createObjectStore("kept");
    },
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
  });
  return opened;
}

const sliceCount = 200;
const allOf = (spaceId: string) => IDBKeyRange.bound([spaceId, ""], [spaceId, "\uffff"]);

export async function readSpace(spaceId: string): Promise<{ state: SpaceState; documents: Document[] } | undefined> {
  const reading = (await database()).transaction(["spaces", "documents"]);
  const [state, documents] = await Promise.all([
    reading.objectStore("spaces").get(spaceId),
    reading.objectStore("documents").getAll(allOf(spaceId)),
  ]);
  return state === undefined ? undefined : { state, documents };
}

/** Both together or none: the documents are always those of that `seq`. */
export async function writeSpace(
  state: SpaceState,
  documents: Iterable<Document>,
  { isWhole }: { isWhole: boolean },
): Promise<void> {
  const writing = (await database()).transaction(["spaces", "documents"], "readwrite");
  const into = writing.objectStore("documents");
  if (isWhole) void into.delete(allOf(state.spaceId));
  // In slices: each put copies its document at once, and many of them would hold up what is on the screen.
  let put: Promise<unknown> | undefined;
  let count = 0;
  for (const document of documents) {
    put = into.put(document);
    count += 1;
    if (count % sliceCount === 0) await put;
  }
  void writing.objectStore("spaces").put(state);
  await writing.done;
}

/** Some that were read by themselves, where the space is kept: nothing of one that was left meanwhile. */
export async function writeDocuments(spaceId: string, documents: readonly Document[]): Promise<void> {
  const writing = (await database()).transaction(["spaces", "documents"], "readwrite");
  if ((await writing.objectStore("spaces").getKey(spaceId)) !== undefined)
    for (const document of documents) void writing.objectStore("documents").put(document);
  await writing.done;
}

export async function removeSpace(spaceId: string): Promise<void> {
  const writing = (await database()).transaction(["spaces", "documents"], "readwrite");
  void writing.objectStore("documents").delete(allOf(spaceId));
  void writing.objectStore("spaces").delete(spaceId);
  await writing.done;
}

/** In the order in which they were made. */
export async function readOutbox(): Promise<Entry[]> {
  return (await (await database()).getAll("outbox")).sort((a, b) => a.order - b.order);
}

/** Committed at once, without waiting to hear of it: a page that is left in the same moment leaves the change to the browser. */
export async function writeEntry(entry: Entry): Promise<void> {
  const writing = (await database()).transaction("outbox", "readwrite");
  void writing.store.put(entry);
  writing.commit();
  await writing.done;
}

export async function removeEntry(key: string): Promise<void> {
  await (await database()).delete("outbox", key);
}

export async function readKept<Value>(name: string): Promise<Value | undefined> {
  return (await (await database()).get("kept", name)) as Value | undefined;
}

export async function writeKept(name: string, value: unknown): Promise<void> {
  await (await database()).put("kept", value, name);
}

/** At the end of a session nothing of it stays, and what another user left is not shown to this one. */
export async function clearAll(): Promise<void> {
  const db = await database();
  await Promise.all((["spaces", "documents", "outbox", "kept"] as const).map((name) => db.clear(name)));
}
