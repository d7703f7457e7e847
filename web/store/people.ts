/** Names of users. Only ids are in spaces; names are kept, and asked for once each time the page is opened: people change theirs. */
import { signal } from "@preact/signals";
import { getJson, user } from "../sync/session.ts";
import { t } from "../text/language.ts";
import type { Person } from "../text/quick-add.ts";
import { readKept, writeKept } from "./database.ts";
import type { SpaceStore } from "./space-store.ts";

const names = signal<ReadonlyMap<string, string | null>>(new Map());
const asked = new Set<string>();
/** Those of them that no request has named yet. */
const toAsk = new Set<string>();
let asking: ReturnType<typeof setTimeout> | undefined;
const atOnce = 100;
const gatherMs = 20;
const againMs = 10_000;

export async function openNames(): Promise<void> {
  const kept = await readKept<[string, string | null][]>("names");
  names.value = new Map([...(kept ?? []), ...names.value]);
}

/** What is shown for a user; asks for the name where it is not known. */
export function nameOfUser(id: string): string {
  const own = user.value;
  if (own?.id === id) return own.name ?? own.email;
  const known = names.value.get(id);
  ask(id);
  if (known === null) return t("gone");
  return known ?? "…";
}

function ask(id: string): void {
  if (asked.has(id)) return;
  asked.add(id);
  toAsk.add(id);
  if (asking === undefined) asking = setTimeout(() => void askAll(), gatherMs);
}

async function askAll(): Promise<void> {
  const ids = [...toAsk].slice(0, atOnce);
  for (const id of ids) toAsk.delete(id);
  asking = toAsk.size === 0 ? undefined : setTimeout(() => void askAll(), gatherMs);
  try {
    const query = ids.map((id) => `id=${id}`).join("&");
    const { items } = await getJson<{ items: { id: string; name: string | null }[] }>(`/v1/users?${query}`);
    const found = new Map(items.map(({ id, name }) => [id, name ?? "?"]));
    names.value = new Map([...names.peek(), ...ids.map((id): [string, string | null] => [id, found.get(id) ?? null])]);
    await writeKept(
      "names",
      [...names.peek()].filter(([, name]) => name !== null),
    );
  } catch {
    setTimeout(() => {
      for (const id of ids) asked.delete(id);
      names.value = new Map(names.peek());
    }, againMs);
  }
}

export function membersOf(store: SpaceStore): Person[] {
  return store
    .all("member")
    .map(({ fields }) => ({ id: fields.userId as string, name: nameOfUser(fields.userId as string) }))
    .sort((a, b) => a.name.localeCompare(b.name));
}
