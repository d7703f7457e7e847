/** Changes on their way to the server, in their order. Each is kept in the browser before it is sent, and is sent again until there is a verdict. */
import { computed, signal } from "@preact/signals";
import type { Json } from "../../actors/resources/field.ts";
import type { ProblemBody } from "../sync/session.ts";
import { removeEntry, writeEntry } from "./database.ts";

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

/** Resolves once the browser has kept it. */
export async function add(entry: Entry): Promise<void> {
  entries.value = [...entries.value, entry];
  await writeEntry(entry);
}

export async function replace(entry: Entry): Promise<void> {
  entries.value = entries.value.map((each) => (each.key === entry.key ? entry : each));
  await writeEntry(entry);
}

export async function remove(key: string): Promise<void> {
  entries.value = entries.value.filter((each) => each.key !== key);
  await removeEntry(key);
}
