/**
 * One space as the page has it: the server's documents, and on top what the waiting changes make of them, by the writer's own rules. Whoever reads from it
 * within a view or an effect is told of the next change: every public read asks `changed`, for a view that reads any signal is rendered again for those alone.
 */
import { signal } from "@preact/signals";
import type { Command } from "../../actors/resources/command.ts";
import { decide } from "../../actors/resources/decide.ts";
import { type Document, type Head, later, type Membership, type Role } from "../../actors/resources/document.ts";
import { byRange, isInRange, type View } from "../../actors/resources/draft.ts";
import { applied, type Change, type Fact, type FeedFact } from "../../actors/resources/fact.ts";
import type { Json } from "../../actors/resources/field.ts";
import { registry } from "../../actors/resources/registry.ts";
import type { Entry } from "./outbox.ts";

export type Resource = Readonly<Record<string, Json>> & {
  readonly id: string;
  readonly spaceId: string;
  readonly version: number;
};

/** Facts that an undo may ask for. */
const recentMax = 500;
/** More than a chain of parents can ask for. */
const roundsMax = 12;

export class SpaceStore {
  readonly id: string;
  /** -1: there is nothing yet. */
  seq = -1;
  epoch = "";
  readonly changed = signal(0);
  readonly #server = new Map<string, Document>();
  #shown = new Map<string, Document>();
  #pending: readonly Entry[] = [];
  readonly #recent = new Map<string, FeedFact>();
  /** Ids of the server's documents, by type. */
  readonly #ids = new Map<string, Set<string>>();
  /** Living ones as they are shown, by type, until one of that type changes. */
  readonly #byType = new Map<string, Document[]>();
  #userId: string;

  constructor(id: string, userId: string) {
    this.id = id;
    this.#userId = userId;
  }

  get(id: string): Document | undefined {
    this.changed.value;
    return this.#get(id);
  }

  #get(id: string): Document | undefined {
    return this.#shown.get(id) ?? this.#server.get(id);
  }

  onServer(id: string): Document | undefined {
    this.changed.value;
    return this.#server.get(id);
  }

  /** All living ones of a type, in no order. Kept until something changes. */
  all(type: string): readonly Document[] {
    this.changed.value;
    let found = this.#byType.get(type);
    if (found === undefined) {
      found = [];
      for (const id of this.#ids.get(type) ?? []) {
        const document = this.#get(id);
        if (document !== undefined && document.deletedBy === undefined) found.push(document);
      }
      for (const document of this.#shown.values())
        if (document.type === type && document.deletedBy === undefined && !this.#server.has(document.id))
          found.push(document);
      this.#byType.set(type, found);
    }
    return found;
  }

  get role(): Role | undefined {
    return this.all("member").find(({ fields }) => fields.userId === this.#userId)?.fields.role as Role | undefined;
  }

  fact(operationId: string): FeedFact | undefined {
    return this.#recent.get(operationId);
  }

  /** From a snapshot or the browser's own store. */
  load(state: { seq: number; epoch: string }, documents: Iterable<Document>): void {
    this.#server.clear();
    this.#ids.clear();
    this.#byType.clear();
    for (const document of documents) this.#keep(document);
    this.seq = state.seq;
    this.epoch = state.epoch;
    this.#show();
  }

  documents(): Iterable<Document> {
    return this.#server.values();
  }

  /** A resource as the API served it. Of one that is known in a later version nothing is taken. */
  put(type: string, resource: Resource): Document | undefined {
    const known = this.#server.get(resource.id);
    if (known !== undefined && known.version >= resource.version) return undefined;
    const document = documentOf(type, resource, this.seq);
    this.#keep(document);
    this.#show();
    return document;
  }

  /** One from the trash, of which this browser may have nothing: it is kept as deleted, so that its restoration can be told here. */
  putDeleted(type: string, resource: Resource): void {
    if (this.#server.has(resource.id)) return;
    const document = documentOf(type, resource, this.seq);
    this.#keep({ ...document, deletedBy: document.creatorId });
  }

  /** The next fact. Answers the documents that it changed, and ids of those that have to be read, since a version is missing. */
  take(fact: FeedFact): { changed: Document[]; toRead: { type: string; id: string }[] } {
    const changed: Document[] = [];
    const toRead: { type: string; id: string }[] = [];
    for (const change of fact.changes) {
      const type = registry.get(change.type);
      if (type === undefined) continue;
      const before = this.#server.get(change.id);
      const isNext = change.version === (before?.version ?? 0) + 1;
      if (isNext && (before !== undefined || change.kind === "created")) {
        const document = applied(type, before, change, fact);
        this.#keep(document);
        changed.push(document);
      } else if (before !== undefined ? change.version > before.version : isBack(change))
        toRead.push({ type: change.type, id: change.id });
    }
    this.seq = fact.seq;
    this.#recent.set(fact.operationId, fact);
    if (this.#recent.size > recentMax) this.#recent.delete(this.#recent.keys().next().value ?? "");
    this.#show();
    return { changed, toRead };
  }

  /** The changes of this space that the server has not told of yet, in their order. */
  showPending(pending: readonly Entry[]): void {
    this.#pending = pending;
    this.#show();
  }

  #keep(document: Document): void {
    const { type, id } = document;
    this.#server.set(id, document);
    const ids = this.#ids.get(type);
    if (ids === undefined) this.#ids.set(type, new Set([id]));
    else ids.add(id);
    this.#byType.delete(type);
  }

  #show(): void {
    for (const { type } of this.#shown.values()) this.#byType.delete(type);
    this.#shown = new Map();
    let head = this.#head();
    for (const entry of this.#pending) {
      const decision = this.#decide(head, entry);
      if (decision === undefined) continue;
      for (const document of decision.documents) this.#shown.set(document.id, document);
      head = { ...decision.head, seq: head.seq + 1, at: later(entry.at, head.at) };
    }
    for (const { type } of this.#shown.values()) this.#byType.delete(type);
    this.changed.value = this.changed.peek() + 1;
  }

  /** Undefined where it would be refused, or cannot be told here: then only the server's answer shows. */
  #decide(head: Head, entry: Entry) {
    const operations = (id: string): Fact | null => {
      const fact = this.#recent.get(id);
      if (fact === undefined) return null;
      return { ...fact, fingerprint: "", position: 0, verdict: "applied", keyed: true, answers: [] };
    };
    const view: View = {
      head,
      document: (id) => this.#get(id) ?? null,
      fact: () => null,
      operation: operations,
      // Whether a chain of parents becomes too deep, the server tells.
      referrers: () => [],
      ranged: (range) => {
        const ids = new Set([...(this.#ids.get(range.type) ?? []), ...this.#shown.keys()]);
        const found = [...ids].flatMap((id) => this.#get(id) ?? []).filter((document) => isInRange(document, range));
        const first = found.sort(byRange(range)).slice(0, range.max);
        return first.map(({ id }) => id);
      },
    };
    try {
      for (let round = 0; round < roundsMax; round++) {
        const decision = decide(registry, view, commandOf(entry));
        if (decision.verdict !== "needs") return decision.verdict === "applied" ? decision : undefined;
      }
    } catch {
      // What the rules cannot tell here they tell at the server.
    }
    return undefined;
  }

  #head(): Head {
    const members: Membership[] = [...(this.#ids.get("member") ?? [])].flatMap((id) => {
      const document = this.#server.get(id);
      if (document === undefined || document.deletedBy !== undefined) return [];
      const { fields, createdAt } = document;
      return [{ id, userId: fields.userId as string, role: fields.role as Role, since: createdAt }];
    });
    return {
      spaceId: this.id,
      seq: Math.max(0, this.seq),
      position: 0,
      at: "",
      isDeleted: false,
      members,
      projects: 0,
    };
  }
}

/** One that this browser lacks is there again; or a task that was completed long ago is open again. */
function isBack({ deleted, fields: { status } }: Change): boolean {
  return deleted === false || status?.to === "todo" || status?.to === "in_progress";
}

function commandOf({ key, spaceId, userId, at, request }: Entry): Command {
  const common = { operationId: key, keyed: true, spaceId, userId, fingerprint: "", at };
  if (request.kind === "undo") return { ...common, kind: "undo", undoes: request.undoes };
  const intents = request.changes.map(({ expected, body = {}, ...change }) => ({
    ...change,
    body,
    ...(expected === undefined ? {} : { expected: [expected] }),
  }));
  return { ...common, kind: "change", intents };
}

/** A served resource as the rules know it. */
export function documentOf(typeName: string, resource: Resource, seq: number): Document {
  const type = registry.get(typeName);
  const names = Object.keys(type?.fields ?? {});
  return {
    spaceId: resource.spaceId,
    id: resource.id,
    type: typeName,
    version: resource.version,
    seq: Math.max(0, seq),
    fields: Object.fromEntries(names.map((name) => [name, resource[name] ?? null])),
    creatorId: resource.creatorId as string,
    createdAt: resource.createdAt as string,
    updatedAt: resource.updatedAt as string,
    undoable: 0,
  };
}
