/** What the writer of spaces needs: a store of facts and their projection, the topic on which verdicts are told, and the place in the log. */
import type { Command } from "../resources/command.ts";
import type { Document, Head } from "../resources/document.ts";
import type { Range, Reference } from "../resources/draft.ts";
import type { Fact } from "../resources/fact.ts";
import type { Told } from "../resources/verdict.ts";

export type { Verdict } from "../resources/verdict.ts";

/** A command with its offset in its partition of the log. */
export type SpaceDelivery = {
  readonly position: number;
  readonly command: Command;
  /** Its sender may have sent it before, and cannot tell whether that arrived. */
  readonly isResent: boolean;
};

/** A record of the log that is no command. */
export type UnreadableDelivery = { readonly position: number; readonly reason: string };

export type DocumentKey = { readonly spaceId: string; readonly id: string };
export type OperationKey = { readonly spaceId: string; readonly operationId: string };
/** The id of a resource, and which one it refers to. */
export type Referrer = { readonly id: string; readonly to: string };
/** The id of a resource, and its value of the field that the range is of. */
export type InRange = { readonly id: string; readonly value: string };
export type SeqKey = { readonly spaceId: string; readonly seq: number };

export type Reading = {
  readonly heads: readonly string[];
  readonly documents: readonly DocumentKey[];
  readonly operations: readonly OperationKey[];
  readonly seqs: readonly SeqKey[];
};

/** What exists of a reading, in any order. */
export type Found = {
  readonly heads: readonly Head[];
  readonly documents: readonly Document[];
  readonly facts: readonly Fact[];
};

/** The read model as its one writer sees it. Faults of the store are thrown as they come. */
export type FactStore = {
  /** Heads and documents are read before facts. */
  read(reading: Reading): Promise<Found>;
  /** Resources of one space that have one of these references, deleted ones too; all of one type and field. In any order. */
  referrers(spaceId: string, references: readonly Reference[]): Promise<readonly Referrer[]>;
  /** The first `max` of one space in the order of the range. */
  ranged(spaceId: string, range: Range): Promise<readonly InRange[]>;
  /**
   * Makes the facts durable in their order. A fact whose operation or `seq` its space has already is not written; answers the facts that stood in the way.
   */
  record(facts: readonly Fact[]): Promise<readonly Fact[]>;
  /** Writes each document over an older version of it only, and then each head over one of an earlier position only. */
  project(documents: readonly Document[], heads: readonly Head[]): Promise<void>;
};

export type VerdictTopic = {
  /** Durable when it resolves; in this order, none without those before it. */
  append(all: readonly Told[]): Promise<void>;
  /** All verdicts of positions from here on that were told until now. */
  tail(fromPosition: number): Promise<readonly Told[]>;
  /** The first verdict that was told of each position of the range, both ends included, where all of them have been told. */
  first(from: number, to: number): Promise<readonly Told[]>;
};

export type LogPlace = {
  /** The first position that may not be projected yet. */
  committed(): Promise<number>;
  /** The position that the next command will have: what comes from there on, no earlier writer has seen alone. */
  end(): Promise<number>;
  commit(position: number): Promise<void>;
};
