/** One decision under way: the space as it would be after the changes made so far, and what is still to be read. */
import type { Command, IntentKind } from "./command.ts";
import { type Document, defaultOf, type Fields, type Head, later } from "./document.ts";
import { applied, type Change, type ChangeKind, type Fact, type Refusal, type RefusalCode } from "./fact.ts";
import { isSame, type Json } from "./field.ts";
import { headAfterChange, isPersonal, personalDocument } from "./head.ts";
import { type Step, spacedFrom } from "./rank.ts";
import type { ResourceType } from "./resource-type.ts";

/** What a decision may know. `null`: there is none; `undefined`: not read yet. */
export type View = {
  /** Of a shared space that no fact has made: null. Of a personal one there is always a head. */
  readonly head: Head | null;
  document(id: string): Document | null | undefined;
  /** By `seq`. */
  fact(seq: number): Fact | null | undefined;
  operation(operationId: string): Fact | null | undefined;
  /** Ids of the resources that have this reference, deleted ones too. */
  referrers(reference: Reference): readonly string[] | undefined;
  /** Ids in the order of the range, the first `max` of them. */
  ranged(range: Range): readonly string[] | undefined;
};

/** The field of a type that refers to a resource. */
export type Reference = { readonly type: string; readonly field: string; readonly id: string };

export function referenceKey({ type, field, id }: Reference): string {
  return `${type} ${field} ${id}`;
}

/** Resources that are not deleted and whose field, a sortable text of the writer's, is between two texts, by that field. */
export type Range = {
  readonly type: string;
  readonly field: string;
  /** Neither is in the range. */
  readonly above: string;
  readonly below: string;
  readonly isDescending: boolean;
  readonly max: number;
};

export function rangeKey({ type, field, above, below, isDescending, max }: Range): string {
  return `${type} ${field} ${above} ${below} ${isDescending} ${max}`;
}

export function isInRange(
  { type, deletedBy, fields }: Pick<Document, "type" | "deletedBy" | "fields">,
  range: Range,
): boolean {
  const value = fields[range.field];
  if (type !== range.type || deletedBy !== undefined || typeof value !== "string") return false;
  return value > range.above && value < range.below;
}

export type Ranged = {
  /** Ids of those that this operation has not changed, in the order of the range. */
  readonly others: readonly string[];
  readonly made: readonly Document[];
  /** Whether there are no others behind these. */
  readonly isWhole: boolean;
};

/** In the order of a range. */
export function byRange({
  field,
  isDescending,
}: Range): (one: Pick<Document, "fields">, other: Pick<Document, "fields">) => number {
  const sign = isDescending ? -1 : 1;
  return (one, other) => ((one.fields[field] as string) < (other.fields[field] as string) ? -sign : sign);
}

/** What a decision has to read, and does not yet know. */
export type Needs = {
  readonly documents: Set<string>;
  readonly facts: Set<number>;
  readonly operations: Set<string>;
  /** By `referenceKey`. */
  readonly referrers: Map<string, Reference>;
  /** By `rangeKey`. */
  readonly ranges: Map<string, Range>;
};

export function hasNeeds({ documents, facts, operations, referrers, ranges }: Needs): boolean {
  return documents.size + facts.size + operations.size + referrers.size + ranges.size > 0;
}

/** Ends one intent: the operation is refused. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.code);
    this.refusal = refusal;
  }
}

/** Ends one intent: something that it needs has not been read. */
export class Unread extends Error {}

export class Draft {
  readonly command: Command;
  readonly needs: Needs = {
    documents: new Set(),
    facts: new Set(),
    operations: new Set(),
    referrers: new Map(),
    ranges: new Map(),
  };
  readonly changes: Change[] = [];
  /** The space's instant: the command's, or the latest one where that is later. */
  readonly at: string;
  readonly seq: number;
  /** The place of the intent under way in its operation. */
  place = 0;
  intentKind: IntentKind = "patch";
  head: Head;
  readonly #view: View;
  readonly #made = new Map<string, Document>();
  #beside: readonly (() => void)[] = [];
  /** Behind the last place that was taken by `takePlaces`, or for a step after that. */
  #nextPlace = 0;

  constructor(view: View, head: Head, command: Command) {
    this.#view = view;
    this.head = head;
    this.command = command;
    this.at = later(command.at, head.at);
    this.seq = head.seq + 1;
  }

  get operationId(): string {
    return this.command.operationId;
  }

  /** The instant of the edge, by which it answers a creation before it is decided. */
  get askedAt(): string {
    return this.command.at;
  }

  get isImport(): boolean {
    return this.command.kind === "change" && this.command.isImport === true;
  }

  get isPersonal(): boolean {
    return isPersonal(this.head.spaceId, this.command.userId);
  }

  /** Each is later than all before it. Behind places that were taken it has an odd one. */
  nextStep(): Step {
    if (this.#nextPlace === 0) return { seq: this.seq, place: this.place };
    this.#nextPlace += 2;
    return { seq: this.seq, place: this.#nextPlace - 1 };
  }

  /** The first of so many even places, each with an odd one behind it. */
  takePlaces(count: number): number {
    const from = Math.max(spacedFrom, this.#nextPlace);
    this.#nextPlace = from + 2 * count;
    return from;
  }

  /** How many places have been taken. */
  get takenPlaces(): number {
    return Math.max(0, this.#nextPlace - spacedFrom) / 2;
  }

  /** As this operation has left it so far; undefined where the space has none of this id. Throws `Unread`. */
  document(id: string): Document | undefined {
    const made = this.#made.get(id);
    if (made !== undefined) return made;
    const known = this.#view.document(id);
    if (known === undefined) {
      this.needs.documents.add(id);
      throw new Unread();
    }
    return known ?? (this.isPersonal ? personalDocument(this.head.spaceId, id) : undefined);
  }

  /** Those of the ids that there are. Throws `Unread`. */
  existing(ids: readonly string[]): Document[] {
    const unread = ids.filter((id) => !this.#made.has(id) && this.#view.document(id) === undefined);
    for (const id of unread) this.needs.documents.add(id);
    if (unread.length > 0) throw new Unread();
    return ids.flatMap((id) => this.document(id) ?? []);
  }

  /** Throws `Unread`. */
  fact(seq: number): Fact | undefined {
    const known = this.#view.fact(seq);
    if (known !== undefined) return known ?? undefined;
    this.needs.facts.add(seq);
    throw new Unread();
  }

  /** Throws `Unread`. */
  operation(operationId: string): Fact | undefined {
    const known = this.#view.operation(operationId);
    if (known !== undefined) return known ?? undefined;
    this.needs.operations.add(operationId);
    throw new Unread();
  }

  /** Ids of all resources, deleted ones too, that refer to one of these by the field, as this operation has left them so far. Throws `Unread`. */
  referrers(type: string, field: string, ids: readonly string[]): string[] {
    const found: string[] = [];
    let isUnread = false;
    for (const id of ids) {
      const reference = { type, field, id };
      const known = this.#view.referrers(reference);
      if (known === undefined) {
        this.needs.referrers.set(referenceKey(reference), reference);
        isUnread = true;
      } else found.push(...known.filter((each) => !this.#made.has(each)));
    }
    if (isUnread) throw new Unread();
    const asked = new Set<Json | undefined>(ids);
    for (const [id, made] of this.#made) if (made.type === type && asked.has(made.fields[field])) found.push(id);
    return found;
  }

  /** What is in each range, as this operation has left it so far. Throws `Unread`. */
  ranged(ranges: readonly Range[]): Ranged[] {
    const found = ranges.map((range) => this.#view.ranged(range));
    for (const [index, range] of ranges.entries())
      if (found[index] === undefined) this.needs.ranges.set(rangeKey(range), range);
    if (found.includes(undefined)) throw new Unread();
    return ranges.map((range, index) => {
      const ids = found[index] ?? [];
      const others = ids.filter((id) => !this.#made.has(id));
      const made = [...this.#made.values()].filter((each) => isInRange(each, range));
      return { others, made, isWhole: ids.length < range.max };
    });
  }

  refuse(code: RefusalCode, more: Omit<Refusal, "code" | "change"> = {}): never {
    throw new Refused({ code, change: this.place, ...more });
  }

  /** Adds a version. `deleted` where that changes. A change of nothing adds none. */
  make(
    type: ResourceType,
    input: {
      readonly id: string;
      readonly before: Document | undefined;
      readonly fields: Fields;
      readonly kind: ChangeKind;
      readonly deleted?: boolean;
      readonly undoableBefore?: number;
      readonly createdAt?: string;
      readonly updatedAt?: string;
      readonly isSpacing?: true;
    },
  ): void {
    const { id, before, fields, kind, ...more } = input;
    const changed = differences(type, before?.fields, fields);
    if (kind === "changed" && Object.keys(changed).length === 0) return;
    const change: Change = { type: type.name, id, version: (before?.version ?? 0) + 1, kind, fields: changed, ...more };
    const fact = { spaceId: this.head.spaceId, at: this.at, actorId: this.command.userId, seq: this.seq };
    this.changes.push(change);
    this.#made.set(id, applied(type, before, change, fact));
    this.head = headAfterChange(this.head, change, fact);
    const beside = this.#beside;
    this.#beside = [];
    for (const makeOther of beside) makeOther();
  }

  /** Gives another resource a new rank, right behind the next version that is made. */
  spaceBeside(type: ResourceType, before: Document, rank: string): void {
    const { id, fields } = before;
    const more = { fields: { ...fields, rank }, kind: "changed", isSpacing: true } as const;
    this.#beside = [...this.#beside, () => this.make(type, { id, before, ...more })];
  }

  /** All documents that this operation changed, as it leaves them. */
  documents(): Document[] {
    return [...this.#made.values()];
  }

  /**
   * Changes that came without changes of others can be taken back by `undo` of their resource; what came with others is taken back with them. To be called
   * once all changes are made.
   */
  settle(): void {
    const asked = this.changes.filter(({ isSpacing }) => isSpacing !== true);
    const id = asked[0]?.id;
    const changed = asked.filter(({ kind }) => kind !== "created" && kind !== "undone");
    if (id === undefined || changed.length === 0 || asked.some((each) => each.id !== id)) return;
    const undoableBefore = this.#view.document(id)?.undoable ?? 0;
    for (const change of changed) this.changes[this.changes.indexOf(change)] = { ...change, undoableBefore };
    const document = this.#made.get(id);
    if (document !== undefined) this.#made.set(id, { ...document, undoable: this.seq });
  }
}

/** A resource of this type that exists and is not deleted. */
export function livingDocument(draft: Draft, id: string, type: string): Document | undefined {
  const document = draft.document(id);
  return document?.type === type && document.deletedBy === undefined ? document : undefined;
}

/** What differs, from null where there was nothing. */
function differences(type: ResourceType, before: Fields | undefined, after: Fields): Change["fields"] {
  const changed: Record<string, { from: Json; to: Json }> = {};
  for (const [name, field] of Object.entries(type.fields)) {
    const from = before?.[name] ?? null;
    const to = after[name] ?? defaultOf(field);
    if (!isSame(from, to)) changed[name] = { from, to };
  }
  return changed;
}
