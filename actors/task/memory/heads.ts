/** What a `task` worker knows of whole spaces by what the writers told: rosters, how far the read model has them, and who wrote what it does not have. */
import type { Document, Head } from "../../resources/document.ts";
import type { Change, Fact } from "../../resources/fact.ts";
import { headAfter, isPersonal, personalHead, unmadeHead } from "../../resources/head.ts";
import { putLatest } from "./put-latest.ts";

export type SpaceHeads = {
  /** A fact of this partition with the documents that it left, in their order; one that comes again is passed over. */
  take(partition: number, fact: Fact, documents?: readonly Document[]): void;
  /** Everything of the partition below this position is in the read model. */
  projected(partition: number, position: number): void;
  /** Null: no fact has made it. Undefined: not known. */
  head(spaceId: string): Head | null | undefined;
  /**
   * As it was read from a read model that had everything of the partition up to a position; answers it with what was told since. Undefined: it is older than
   * what was told meanwhile.
   */
  fill(partition: number, spaceId: string, head: Head | null, upTo: number): Head | null | undefined;
  /** The `seq` up to which the read model is known to have the space; undefined where nothing is. */
  projectedSeq(spaceId: string): number | undefined;
  /** Another number than before: the read model has more of the space, or of the user's memberships. */
  mark(id: string): number;
  /** By partition, the position of the user's last write that was told and is not projected. */
  unprojectedOf(userId: string): ReadonlyMap<number, number>;
  /** A fact up to this position may not have been heard. */
  missedTo(partition: number): number;
  /** Nothing of the partition is known any more up to this position. */
  forget(partition: number, upTo: number): void;
};

/** A roster has up to hundreds of members. */
const membersMax = 200_000;
const seqsMax = 50_000;
const none: ReadonlyMap<number, number> = new Map();

type HeadFact = Pick<Fact, "spaceId" | "seq" | "position" | "at" | "actorId" | "changes"> & {
  /** Whose membership it changed. */
  readonly users: readonly string[];
};

export function spaceHeads(): SpaceHeads {
  /** In the order of their last use. */
  const heads = new Map<string, { partition: number; head: Head | null }>();
  const seqs = new Map<string, number>();
  const marks = new Map<string, number>();
  const unprojected = new Map<number, HeadFact[]>();
  const missed: number[] = [];
  const last: number[] = [];
  let members = 0;
  let marked = 0;
  const sizeOf = (head: Head | null): number => 1 + (head?.members.length ?? 0);

  function remember(partition: number, spaceId: string, head: Head | null): void {
    const before = heads.get(spaceId);
    if (before !== undefined) members -= sizeOf(before.head);
    heads.delete(spaceId);
    heads.set(spaceId, { partition, head });
    members += sizeOf(head);
    for (const [oldest, each] of heads) {
      if (members <= membersMax) break;
      heads.delete(oldest);
      members -= sizeOf(each.head);
    }
  }

  function after(head: Head | null, fact: HeadFact): Head | null {
    if (fact.position <= (head?.position ?? -1)) return head;
    // A refusal is no fact of a space that there is not.
    if (head === null && fact.seq === undefined) return null;
    const { spaceId, actorId } = fact;
    return headAfter(head ?? (isPersonal(spaceId, actorId) ? personalHead(spaceId) : unmadeHead(spaceId)), fact);
  }

  const missedTo = (partition: number): number => missed[partition] ?? -1;

  return {
    take(partition, fact, documents = []) {
      if (fact.position <= (last[partition] ?? -1)) return;
      last[partition] = fact.position;
      const its = headFact(fact, documents);
      const known = heads.get(fact.spaceId);
      if (known !== undefined) remember(partition, fact.spaceId, after(known.head, its));
      const all = unprojected.get(partition) ?? [];
      all.push(its);
      unprojected.set(partition, all);
    },

    projected(partition, position) {
      const all = unprojected.get(partition) ?? [];
      const left = all.findIndex((each) => each.position >= position);
      for (const { spaceId, seq, users } of all.splice(0, left < 0 ? all.length : left)) {
        if (seq === undefined) continue;
        putLatest(seqs, spaceId, seq, seqsMax);
        marked += 1;
        putLatest(marks, spaceId, marked, seqsMax);
        for (const userId of users) putLatest(marks, userId, marked, seqsMax);
      }
    },

    head(spaceId) {
      const known = heads.get(spaceId);
      if (known === undefined) return undefined;
      heads.delete(spaceId);
      heads.set(spaceId, known);
      return known.head;
    },

    fill(partition, spaceId, read, upTo) {
      const seq = read?.seq ?? 0;
      // What was told while it was read may be projected, and gone from here, by now.
      if (upTo < missedTo(partition) || seq < (seqs.get(spaceId) ?? 0)) return undefined;
      putLatest(seqs, spaceId, seq, seqsMax);
      const its = (unprojected.get(partition) ?? []).filter((each) => each.spaceId === spaceId);
      const head = its.reduce(after, read);
      const known = heads.get(spaceId);
      if (known !== undefined && (known.head?.position ?? -1) >= (head?.position ?? -1)) return known.head;
      remember(partition, spaceId, head);
      return head;
    },

    projectedSeq: (spaceId) => seqs.get(spaceId),
    mark: (id) => marks.get(id) ?? 0,

    unprojectedOf(userId) {
      let found: Map<number, number> | undefined;
      for (const [partition, all] of unprojected)
        for (const { actorId, position } of all) {
          if (actorId !== userId) continue;
          found ??= new Map();
          found.set(partition, position);
        }
      return found ?? none;
    },

    missedTo,
    forget(partition, upTo) {
      for (const [spaceId, each] of heads)
        if (each.partition === partition) {
          heads.delete(spaceId);
          members -= sizeOf(each.head);
        }
      unprojected.delete(partition);
      missed[partition] = Math.max(missedTo(partition), upTo);
    },
  };
}

/** What of a fact changes a head. */
function headFact({ spaceId, seq, position, at, actorId, changes }: Fact, documents: readonly Document[]): HeadFact {
  const its: Change[] = changes
    .filter(({ type }) => type === "member" || type === "space" || type === "project")
    .map((change) => (change.type === "member" ? change : { ...change, fields: {} }));
  const users = documents.flatMap(({ type, fields }) => (type === "member" ? (fields.userId as string) : []));
  return { spaceId, position, at, actorId, changes: its, users, ...(seq === undefined ? {} : { seq }) };
}
