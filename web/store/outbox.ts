/** Changes on their way to the server, in their order. Each is kept in the browser before it is sent, and is sent again until there is a verdict. */
import { computed, effect, signal } from "@preact/signals";
import type { Json } from "../../actors/resources/field.ts";
import type { ProblemBody } from "../sync/session.ts";
import { emptied, removeEntry, writeEntry } from "./database.ts";

export type ChangeRequest = {
  readonly type: "project" | "task" | "comment";
  readonly id: string;
  readonly kind: "create" | "patch" | "delete" | "restore";
  readonly expected?: number;
  readonly body?: Readonly<Record<string, Json>>;
};
export type OperationRequest =
  | { readonly kind: "batch"; readonly changes: readonly ChangeRequest[] }
  | { readonly kind: "undo"; readonly undoes: string };

export type Entry = {
  /** The Idempotency-Key: however often it is sent, it happens once. */
  readonly key: string;
  readonly order: number;
  readonly userId: string;
  readonly spaceId: string;
  readonly at: string;
  /** What it is, as its author reads it: the title of the task, say. */
  readonly about: string;
  readonly request: OperationRequest;
  /** `sent`: the server has decided, and its fact is not here yet. */
  readonly state: "waiting" | "sent" | "refused";
  readonly operationId?: string;
  readonly seq?: number;
  readonly problem?: ProblemBody;
  /** Values that were shown when the change was made, for a comparison after a refusal. */
  readonly from?: Readonly<Record<string, Json>>;
};

export const entries = signal<readonly Entry[]>([]);
export const waiting = computed(() => entries.value.filter(({ state }) => state === "waiting"));
export const refused = computed(() => entries.value.filter(({ state }) => state === "refused"));

/** How many changes of who was here last are kept for when they come again. */
export const leftBehind = signal(0);

/** What this tab alone knows of: the browser has not kept it yet, or cannot. */
const unkept = new Map<string, "writing" | "failed">();
export const isUnkept = (key: string): boolean => unkept.has(key);
/** Then no other tab will send it. */
export const isOwnAlone = (key: string): boolean => unkept.get(key) === "failed";
/** Grows with each change of the list here. */
let changes = 0;
export const changesHere = (): number => changes;

async function keep(entry: Entry): Promise<void> {
  changes += 1;
  unkept.set(entry.key, "writing");
  const isKept = await writeEntry(entry);
  if (isKept || !entries.peek().some(({ key }) => key === entry.key)) unkept.delete(entry.key);
  else unkept.set(entry.key, "failed");
}

// What was kept went with all else that the browser's user cleared.
effect(() => {
  if (emptied.value > 0) for (const entry of entries.peek()) void keep(entry);
});

/** Resolves once the browser has kept it, or cannot. */
export async function add(entry: Entry): Promise<void> {
  entries.value = [...entries.value, entry];
  await keep(entry);
}

export async function replace(entry: Entry): Promise<void> {
  entries.value = entries.value.map((each) => (each.key === entry.key ? entry : each));
  await keep(entry);
}

export async function remove(key: string): Promise<void> {
  entries.value = entries.value.filter((each) => each.key !== key);
  changes += 1;
  unkept.delete(key);
  await removeEntry(key);
}
