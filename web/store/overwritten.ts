/**
 * Two people set one field at nearly the same time: the order of the log decides, and both are told of it, each with the value that was replaced and one
 * click that brings it back.
 */
import { signal } from "@preact/signals";
import type { FeedFact } from "../../actors/resources/fact.ts";
import type { Json } from "../../actors/resources/field.ts";
import type { Entry } from "./outbox.ts";

export type Overwritten = {
  readonly spaceId: string;
  readonly type: "project" | "task";
  readonly id: string;
  readonly field: string;
  /** Who set the other value. */
  readonly actorId: string;
  /** This user's value was replaced by the other's; else it is the one that replaced it. */
  readonly isLoser: boolean;
  readonly lost: Json;
  readonly now: Json;
};

export const overwritten = signal<readonly Overwritten[]>([]);

/** What is changed by replacing it. Sets take each addition by itself, and a rank says where, not what. */
const replaced: ReadonlySet<string> = new Set([
  "title",
  "description",
  "status",
  "priority",
  "due",
  "projectId",
  "columnId",
  "parentId",
  "estimateMinutes",
  "name",
  "color",
]);
/** By the server's clock: later than that, somebody has seen the value that they replace. */
const meanwhileMs = 60_000;
const shownMax = 20;
const rememberedMax = 2_000;

type Setting = { readonly actorId: string; readonly at: string; readonly value: Json };
/** The latest setting of each field that this page has heard of. */
const latest = new Map<string, Setting>();

const isSame = (one: Json | undefined, other: Json | undefined): boolean =>
  JSON.stringify(one) === JSON.stringify(other);

/** To be called with each fact in turn, before the changes that it answers leave the outbox. */
export function noticeOverwriting(fact: FeedFact, userId: string, pending: readonly Entry[]): void {
  const found: Overwritten[] = [];
  for (const { type, id, kind, fields } of fact.changes) {
    if (type !== "task" && type !== "project") continue;
    for (const [field, { from, to }] of Object.entries(fields)) {
      if (!replaced.has(field) || (field === "status" && fields.columnId !== undefined)) continue;
      const before = latest.get(`${id} ${field}`);
      remember(`${id} ${field}`, { actorId: fact.actorId, at: fact.at, value: to });
      // A creation replaces nothing, and to take back is to want the other value.
      if (kind !== "changed") continue;
      const common = { spaceId: fact.spaceId, type, id, field, lost: from, now: to } as const;
      if (fact.actorId === userId) {
        const seen = seenBefore(pending, { id, field, to });
        if (seen === undefined || isSame(seen, from) || before === undefined || before.actorId === userId) continue;
        found.push({ ...common, actorId: before.actorId, isLoser: false });
      } else if (before?.actorId === userId && isSame(before.value, from) && isMeanwhile(before.at, fact.at))
        found.push({ ...common, actorId: fact.actorId, isLoser: true });
    }
  }
  if (found.length === 0) return;
  const isNew = (each: Overwritten) => !found.some(({ id, field }) => id === each.id && field === each.field);
  overwritten.value = [...overwritten.value.filter(isNew), ...found].slice(-shownMax);
}

/** The value that was shown when the user's own change was made. */
function seenBefore(
  pending: readonly Entry[],
  { id, field, to }: { id: string; field: string; to: Json },
): Json | undefined {
  for (const { request, from } of pending) {
    if (request.kind !== "batch" || from === undefined || !(field in from)) continue;
    const change = request.changes.find((each) => each.id === id && each.kind === "patch");
    if (change?.body !== undefined && isSame(change.body[field], to)) return from[field];
  }
  return undefined;
}

function isMeanwhile(before: string, after: string): boolean {
  return Date.parse(after) - Date.parse(before) <= meanwhileMs;
}

function remember(key: string, setting: Setting): void {
  latest.delete(key);
  latest.set(key, setting);
  if (latest.size > rememberedMax) latest.delete(latest.keys().next().value ?? "");
}

export function dismiss(one: Overwritten): void {
  overwritten.value = overwritten.value.filter((each) => each !== one);
}

/** At the end of a session. */
export function forgetSettings(): void {
  latest.clear();
  overwritten.value = [];
}
