/** What happened: the record of an operation. Facts are what is true; documents, heads, history and the feed are made from them. */
import type { Document } from "./document.ts";
import type { Json } from "./field.ts";
import type { ResourceType } from "./resource-type.ts";

export type ChangeKind = "created" | "changed" | "deleted" | "restored" | "undone";

/** One new version of one resource. */
export type Change = {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly kind: ChangeKind;
  /** Only fields that differ; on creation every field that is not null, from null. */
  readonly fields: Readonly<Record<string, { readonly from: Json; readonly to: Json }>>;
  /** Where it changed. */
  readonly deleted?: boolean;
  /** What `Document.undoable` was before, where this change is one that `undo` can take back or is such an undo itself. */
  readonly undoableBefore?: number;
  /** Of a creation, where the document's instants are not the fact's. */
  readonly createdAt?: string;
  readonly updatedAt?: string;
  /** Nobody asked for it: the rank was made anew because ranks beside it had become long. */
  readonly isSpacing?: true;
};

/** Why an operation was refused. `change` is the place of the first intent that was, `path` a JSON pointer into its body. */
export type Refusal = {
  readonly code: RefusalCode;
  readonly change: number;
  /** Of a batch, whoever made it is told of which change. */
  readonly isBatch?: true;
  readonly path?: string;
  readonly message?: string;
  /** The resources that stand in the way of an undo. */
  readonly ids?: readonly string[];
};

export type RefusalCode =
  | "not-found"
  | "forbidden"
  | "conflict"
  | "last-owner"
  | "limit-reached"
  | "precondition-required"
  | "version-mismatch"
  | "invalid-reference"
  | "idempotency-mismatch";

export type Fact = {
  readonly spaceId: string;
  readonly operationId: string;
  readonly fingerprint: string;
  /** The command's offset in its partition of the log. */
  readonly position: number;
  readonly verdict: "applied" | "unchanged" | "rejected";
  readonly refusal?: Refusal;
  /** 1, 2, 3, ... without gap within a space; absent where nothing changed. */
  readonly seq?: number;
  /** Where nothing changed: the `seq` of the space then, at which the answer can be read again. */
  readonly seenSeq?: number;
  readonly at: string;
  readonly actorId: string;
  /** Kept for ever, refusals too. */
  readonly keyed: boolean;
  readonly changes: readonly Change[];
  /** The resources that the answer is made of, in its order: ids of documents as this operation left them. */
  readonly answers: readonly string[];
};

/** As the feed serves it. `partial`: without its changes, which were too long for the stream. */
export type FeedFact = Pick<Fact, "spaceId" | "at" | "actorId" | "operationId" | "changes"> & {
  readonly seq: number;
  readonly partial?: true;
};

/** A document after one more change, with every field of its type. `before` is undefined exactly where the change is a creation. */
export function applied(
  type: ResourceType,
  before: Document | undefined,
  change: Change,
  fact: FactOfChange,
): Document {
  const fields: Record<string, Json> = {};
  for (const name of Object.keys(type.fields)) {
    const changed = change.fields[name];
    fields[name] = changed === undefined ? (before?.fields[name] ?? null) : changed.to;
  }
  const isDeleted = change.deleted ?? before?.deletedBy !== undefined;
  return {
    spaceId: fact.spaceId,
    id: change.id,
    type: change.type,
    version: change.version,
    seq: fact.seq,
    fields,
    creatorId: before?.creatorId ?? fact.actorId,
    createdAt: before?.createdAt ?? change.createdAt ?? fact.at,
    updatedAt: change.updatedAt ?? fact.at,
    ...(isDeleted ? { deletedBy: change.deleted === true ? fact.actorId : (before?.deletedBy ?? fact.actorId) } : {}),
    undoable: undoableAfter(before, change, fact.seq),
  };
}

export type FactOfChange = Pick<Fact, "spaceId" | "at" | "actorId"> & { readonly seq: number };

/**
 * The fields of a document always equal those after its change `undoable` but for changes that came with changes of others. A new change is the next to be
 * taken back; an undo leaves the one that was so before the change that it took back (it carries that in `undoableBefore`).
 */
function undoableAfter(before: Document | undefined, change: Change, seq: number): number {
  if (before === undefined) return 0;
  if (change.undoableBefore === undefined) return before.undoable;
  return change.kind === "undone" ? change.undoableBefore : seq;
}
