/**
 * The tasks and projects of one space as of its latest fact that was told, and lists of them, which so need not wait for the read model. What hides a task
 * from lists, and the column in which it is shown, follow from the others that are here.
 */
import { instantMs } from "../../model/instant.ts";
import type { Document, Fields, Head } from "../../resources/document.ts";
import type { Fact } from "../../resources/fact.ts";
import { isSame, type Json } from "../../resources/field.ts";
import { deletedBit, listedValue, placeOf, shownStates } from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { resourceText } from "../../resources/served.ts";
import { type Candidate, meets } from "../list-match.ts";
import { compareEnds } from "../page-order.ts";
import type { ListedResource, PageEnd, SpaceReplica } from "../ports.ts";
import { isNothing, type ResourceQuery } from "../resource-query.ts";
import { putLatest } from "./put-latest.ts";

/** Types of which all is here, with whether that is so for deleted ones: tasks are shown by their project's columns even when it is deleted. */
export const replicatedTypes: ReadonlyMap<string, { readonly withDeleted: boolean }> = new Map([
  ["project", { withDeleted: true }],
  ["task", { withDeleted: false }],
]);
/** Documents at most: a list looks at all of them. */
export const replicaDocumentsMax = 2_000;
/** Characters in memory at most. */
export const replicaCharsMax = 8_000_000;

/**
 * Whether it is a list of one space that can be made of it: of what is not deleted, and without a search, whose words would take longer to make than
 * others can wait. A later page only as long as nothing has happened since the first one: what a walk meets after that depends on the past.
 */
export function isListedByReplica({ type, spaceIds, deleted, after, seenOffset, conditions }: ResourceQuery): boolean {
  if (spaceIds.length !== 1 || !replicatedTypes.has(type) || deleted) return false;
  return (after === undefined || seenOffset !== undefined) && conditions.every(({ kind }) => kind !== "words");
}

/** What was read of a space: documents are as new as the head, or newer. */
export type ReplicaSource = { readonly head: Head; readonly documents: readonly Document[] };

export type FollowedReplica = SpaceReplica & {
  /** About as many characters as it has in memory. */
  chars(): number;
  /** A fact with a `seq` and the documents that it left. False: one between is missing, a document is, or there are too many. */
  take(fact: Fact, documents: readonly Document[]): boolean;
};

/** What an item has beside its fields, and its text once it was listed. */
const charsOfItem = 600;
const sortsMax = 4;
/** Ids of what others once referred to are kept; beyond this the space has to be read again. */
const referredMax = 4 * replicaDocumentsMax;

type Item = Candidate & {
  readonly chars: number;
  /** The round in which the state and what is shown were found. */
  round: number;
  state: number;
  shown: Fields;
  text: string | undefined;
};
type Entry = { readonly end: PageEnd; readonly item: Item };
type Order = Pick<ResourceQuery, "type" | "sort" | "descending"> & { readonly entries: Entry[] };

export function spaceReplica(registry: Registry, { head, documents: read }: ReplicaSource): FollowedReplica {
  const { spaceId } = head;
  const items = new Map<string, Item>();
  /** Ids of what others refer to, or did. */
  const referred = new Set<string>();
  /** By type, sort and direction, in the order of their last use. */
  const orders = new Map<string, Order>();
  let { seq, position } = head;
  let atMs = instantMs(head.at) ?? 0;
  let chars = 0;
  /** Another one when something has changed on which others depend. */
  let round = 0;

  function put(document: Document): void {
    const { id, type: name, version, fields, deletedBy } = document;
    const before = items.get(id);
    if (before !== undefined && before.document.version >= version) return;
    if (referred.has(id)) round += 1;
    if (before !== undefined) remove(before);
    if (deletedBy !== undefined && replicatedTypes.get(name)?.withDeleted !== true) return;
    const type = typeNamed(registry, name);
    const item: Item = {
      type,
      document,
      chars: charsOfItem + 2 * JSON.stringify(fields).length,
      round: -1,
      state: 0,
      shown: {},
      text: undefined,
    };
    items.set(id, item);
    chars += item.chars;
    for (const field of fieldsOfOthers(type)) if (typeof fields[field] === "string") referred.add(fields[field]);
    for (const order of orders.values()) if (order.type === name) insert(order, item);
  }

  function remove(item: Item): void {
    items.delete(item.document.id);
    chars -= item.chars;
    for (const order of orders.values())
      if (order.type === item.document.type) order.entries.splice(placeIn(order, endOf(order, item)), 1);
  }

  function insert(order: Order, item: Item): void {
    const end = endOf(order, item);
    order.entries.splice(placeIn(order, end), 0, { end, item });
  }

  /** The first place whose entry is not before this one. */
  function placeIn(order: Order, end: PageEnd): number {
    let [from, to] = [0, order.entries.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (compareEnds(order, (order.entries[middle] as Entry).end, end) < 0) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  function endOf({ sort }: Pick<Order, "sort">, { type, document }: Item): PageEnd {
    return { key: listedValue(type, sort, document, {}), id: document.id, spaceId };
  }

  function ordered({ type, sort, descending }: ResourceQuery): readonly Entry[] {
    const key = `${type} ${sort} ${descending}`;
    const order = orders.get(key) ?? made({ type, sort, descending, entries: [] });
    putLatest(orders, key, order, sortsMax);
    return order.entries;
  }

  function made(order: Order): Order {
    for (const item of items.values())
      if (item.document.type === order.type) order.entries.push({ end: endOf(order, item), item });
    order.entries.sort((a, b) => compareEnds(order, a.end, b.end));
    return order;
  }

  function placed(item: Item): Item {
    if (item.round === round) return item;
    // Set first: what refers to itself, which the writer refuses, would have no end.
    item.round = round;
    const { type, document } = item;
    const { state, shown } = placeOf(type, document, (field) => other(type, field, document.fields[field]));
    if (!isSame(shown, item.shown)) item.text = undefined;
    item.state = state;
    item.shown = shown;
    return item;
  }

  function other(type: ResourceType, field: string, id: Json | undefined) {
    if (typeof id !== "string") return undefined;
    const item = items.get(id);
    if (item !== undefined) return placed(item);
    const form = type.fields[field]?.form;
    // What is referred to has been made: where it is not here it has been deleted.
    return form?.kind === "reference" && replicatedTypes.get(form.to)?.withDeleted === false ? gone : undefined;
  }

  for (const document of read) put(document);

  return {
    seq: () => seq,
    position: () => position,
    atMs: () => atMs,
    chars: () => chars,

    take(fact, documents) {
      if (fact.seq === undefined || fact.seq <= seq) return true;
      if (fact.seq !== seq + 1) return false;
      const left = new Map(documents.map((document) => [document.id, document]));
      for (const { id, type, version } of fact.changes)
        if (replicatedTypes.has(type) && (left.get(id)?.version ?? 0) < version) return false;
      for (const document of documents) if (replicatedTypes.has(document.type)) put(document);
      seq = fact.seq;
      position = fact.position;
      atMs = Math.max(atMs, Date.parse(fact.at));
      return items.size <= replicaDocumentsMax && chars <= replicaCharsMax && referred.size <= referredMax;
    },

    list(query) {
      if (isNothing(typeNamed(registry, query.type), query.conditions)) return [];
      const states = shownStates(typeNamed(registry, query.type), false, query.shownThough);
      const found: ListedResource[] = [];
      for (const { end, item } of ordered(query)) {
        if (query.after !== undefined && compareEnds(query, end, query.after) <= 0) continue;
        const { state, type, document, shown } = placed(item);
        if (!states.includes(state) || !query.conditions.every((condition) => meets(item, condition))) continue;
        item.text ??= resourceText(type, document, shown);
        found.push({ spaceId, text: item.text, end });
        if (found.length > query.limit) break;
      }
      return found;
    },
  };
}

const gone = { state: deletedBit, document: { fields: {} } } as const;

/** Fields by which it depends on others how a resource is shown. */
function fieldsOfOthers({ hidings = [], shown }: ResourceType): string[] {
  return [...hidings.map(({ field }) => field), ...(shown === undefined ? [] : [shown.by])];
}
