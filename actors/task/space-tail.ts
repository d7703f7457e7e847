/**
 * The newest facts of a space as they are told on streams, until every live stream has them, and whose membership ended with them. Streams at the same place
 * are given the same bytes.
 */
import type { Head } from "../resources/document.ts";
import type { Change, Fact } from "../resources/fact.ts";
import { factBytes } from "./stream-texts.ts";

/** What one stream is given at once. */
export type Piece = {
  readonly bytes: Uint8Array;
  readonly facts: number;
  /** The `seq` of the last of them. */
  readonly last: number;
  /** The reader's membership ends right behind them. */
  readonly isEnd: boolean;
};

type Entry = {
  readonly seq: number;
  readonly at: string;
  readonly bytes: Uint8Array;
  /** The users whose membership ended with it. */
  readonly ended: readonly string[];
};

/** One write to a stream; one fact may be longer. */
const pieceBytesMax = 256 * 1024;
const tailBytesMax = 2 ** 20;
const nothing = new Uint8Array();

export class SpaceTail {
  /** Of the latest fact. */
  #seq: number;
  #entries: Entry[] = [];
  #bytes = 0;
  /** By the `seq` behind which they begin. */
  readonly #pieces = new Map<number, { readonly piece: Piece; readonly ended: ReadonlySet<string> }>();
  /** Of each member the id of the membership, as the fact `#rosterSeq` left them. */
  #roster: Map<string, string>;
  #rosterSeq: number;

  constructor(head: Head) {
    this.#seq = this.#rosterSeq = head.seq;
    this.#roster = rosterOf(head);
  }

  get seq(): number {
    return this.#seq;
  }

  /** No more is added before some have been told. */
  get isFull(): boolean {
    return this.#bytes >= tailBytesMax;
  }

  /** The next fact. */
  add(fact: Fact): void {
    const bytes = factBytes(fact);
    this.#seq = this.#rosterSeq = fact.seq ?? 0;
    this.#entries.push({ seq: this.#seq, at: fact.at, bytes, ended: this.#membersChangedBy(fact) });
    this.#bytes += bytes.byteLength;
    this.#pieces.clear();
  }

  /** Who is a member, where the head is as new as the facts: of those who have gone without a fact, too. */
  see(head: Head): void {
    if (head.seq < this.#seq) return;
    this.#roster = rosterOf(head);
    this.#rosterSeq = head.seq;
  }

  /** What comes behind this `seq`; undefined where that is no longer here. */
  after(seq: number, userId: string): Piece | undefined {
    const first = this.#entries[0]?.seq ?? this.#seq + 1;
    if (seq + 1 < first) return undefined;
    let found = this.#pieces.get(seq);
    if (found === undefined) {
      const entries = atOnce(this.#entries.slice(seq + 1 - first));
      found = { piece: pieceOf(entries, seq), ended: new Set(entries.flatMap(({ ended }) => ended)) };
      this.#pieces.set(seq, found);
    }
    if (!found.ended.has(userId)) return found.piece;
    const entries = this.#entries.slice(seq + 1 - first);
    const end = entries.findIndex(({ ended }) => ended.includes(userId));
    return { ...pieceOf(entries.slice(0, end), seq), isEnd: true };
  }

  /** Whether a reader who was a member at this `seq` has ceased to be one. */
  hasEnded(userId: string, seq: number): boolean {
    if (seq <= this.#rosterSeq && !this.#roster.has(userId)) return true;
    return this.#entries.some((entry) => entry.seq > seq && entry.ended.includes(userId));
  }

  /** Forgets the facts up to this `seq`: the instants at which they happened. */
  drop(seq: number): string[] {
    const kept = this.#entries.findIndex((entry) => entry.seq > seq);
    const dropped = this.#entries.splice(0, kept < 0 ? this.#entries.length : kept);
    for (const { bytes } of dropped) this.#bytes -= bytes.byteLength;
    if (dropped.length > 0) this.#pieces.clear();
    return dropped.map(({ at }) => at);
  }

  /** Keeps the roster as it was right behind the fact. */
  #membersChangedBy({ changes }: Fact): string[] {
    const ended: string[] = [];
    for (const change of changes)
      if (change.type === "space" && change.deleted === true) ended.push(...this.#roster.keys());
      else if (change.type === "member") this.#changeMember(change, ended);
    for (const userId of ended) this.#roster.delete(userId);
    return ended;
  }

  #changeMember({ id, kind, fields, deleted }: Change, ended: string[]): void {
    const userId = fields.userId?.to;
    if (kind === "created" && typeof userId === "string") this.#roster.set(userId, id);
    if (deleted !== true) return;
    for (const [member, membership] of this.#roster) if (membership === id) ended.push(member);
  }
}

function rosterOf({ isDeleted, members }: Head): Map<string, string> {
  return new Map(isDeleted ? [] : members.map(({ userId, id }) => [userId, id]));
}

function atOnce(entries: readonly Entry[]): readonly Entry[] {
  let bytes = 0;
  const end = entries.findIndex((entry) => {
    bytes += entry.bytes.byteLength;
    return bytes > pieceBytesMax;
  });
  return end < 0 ? entries : entries.slice(0, Math.max(1, end));
}

function pieceOf(entries: readonly Entry[], seq: number): Piece {
  const [first, ...rest] = entries;
  const bytes = rest.length === 0 ? (first?.bytes ?? nothing) : Buffer.concat(entries.map((entry) => entry.bytes));
  return { bytes, facts: entries.length, last: entries.at(-1)?.seq ?? seq, isEnd: false };
}
