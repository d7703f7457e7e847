/** What the edge of spaces needs of the world. Adapters carry their technology in their file's name. */
import type { SpaceVerdict } from "../consumer/messages.ts";
import type { Position } from "../model/position.ts";
import type { Command } from "../resources/command.ts";
import type { Document, Head } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import type { MaybePromise } from "./maybe-promise.ts";
import type { ResourceQuery } from "./resource-query.ts";

/** The ordered, durable log of commands. */
export type SpaceLog = {
  /**
   * Appends a command; commands of one space keep the order in which they were appended. Resolves when the command is durable, and where a verdict is
   * wanted, when it is told or its time is up. Throws `log-unavailable` when the command could not be made durable in time: it may still have been taken, and
   * sending it again is safe. Throws `overloaded` when too much waits.
   */
  append(command: Command, wanted: { readonly verdict: boolean }): Promise<SpaceAppended>;
};

export type SpaceAppended = {
  readonly position: Position;
  /** Undefined: durable, but not decided yet. */
  readonly verdict: SpaceVerdict | undefined;
};

/** A resource of the read model. */
export type StoredResource = {
  readonly spaceId: string;
  readonly id: string;
  readonly type: string;
  readonly version: number;
  readonly isDeleted: boolean;
  /** As it is served (`resourceText`). */
  readonly text: string;
};

/** A change of one resource with what its history tells of the fact. */
export type StoredChange = {
  readonly fact: Pick<Fact, "spaceId" | "at" | "actorId" | "operationId"> & { readonly seq: number };
  readonly change: Fact["changes"][number];
};

/** Where a page ended: the last item's sort key (null: it has none), its id, and its space, which decides where those of two spaces are the same. */
export type PageEnd = { readonly key: string | number | null; readonly id: string; readonly spaceId: string };

export type ListedResource = { readonly spaceId: string; readonly text: string; readonly end: PageEnd };

/** All tasks and projects of a space as of a fact that was told, which the read model may not have yet. */
export type SpaceReplica = {
  /** Of that fact. */
  seq(): number;
  /** Its position in the log. */
  position(): number;
  /** The latest instant of a fact, in epoch milliseconds. */
  atMs(): number;
  /** As `SpaceReads` has it, of this space. */
  list(query: ResourceQuery): readonly ListedResource[];
};

/** A space in which a user is a member; personal spaces are in no list before their first fact. */
export type Membership = { readonly spaceId: string; readonly isDeleted: boolean };

/** The read model. Every method throws `read-model-unavailable` when it cannot be read. Ids are UUIDs. */
export type SpaceReads = {
  head(spaceId: string): MaybePromise<Head | undefined>;
  /** Those that the space has, in any order. */
  resources(spaceId: string, ids: readonly string[]): MaybePromise<readonly StoredResource[]>;
  /** At most `limit + 1` items in the query's order, each with its place in it. */
  list(query: ResourceQuery): MaybePromise<readonly ListedResource[]>;
  /** Resources of these types that are not deleted, hidden from lists or not, in the order of their ids behind `afterId`. */
  living(
    spaceId: string,
    types: readonly string[],
    afterId: string | undefined,
    limit: number,
  ): MaybePromise<readonly StoredResource[]>;
  /** Labels of the tasks that lists show, with the number of those that have it, in the order of the labels. */
  labels(spaceId: string): MaybePromise<readonly { readonly label: string; readonly tasks: number }[]>;
  /** Changes of one resource, newest first: versions below `below`, `limit` at most. */
  changes(spaceId: string, id: string, below: number, limit: number): MaybePromise<readonly StoredChange[]>;
  /** Facts with a `seq` above `after`, ascending, `limit` at most; fewer where their texts pass `bytesMax`, but one at least. */
  facts(spaceId: string, after: number, limit: number, bytesMax: number): MaybePromise<readonly Fact[]>;
  operation(spaceId: string, operationId: string): MaybePromise<Fact | undefined>;
  /** In the order of their ids. */
  memberships(userId: string): MaybePromise<readonly Membership[]>;
  /** Names this store of facts; a store that was set up anew, or restored, has another one. */
  epoch(): MaybePromise<string>;
};

/** Who reads, and what they say that they have seen. */
export type Reader = { readonly userId: string; readonly token: Position | undefined };

/** The offset of the space's partition up to which a reader has seen what happened in it; -1: none. */
export type Seen = { readonly spaceId: string; readonly offset: number };

/** A write that the log has: from now on its author's reads wait for it. */
export type Wrote = {
  readonly command: Command;
  readonly position: Position;
  /** As the operation left them; none where it is not decided yet. */
  readonly documents: readonly Document[];
  readonly isPending: boolean;
};

/**
 * Keeps what one reads as new as what one has written. Waits a second at most; throws `not-yet-visible` when the token's position is not reached by then, and
 * `read-model-unavailable`. `isStale`: the reader's own writes are not all visible.
 */
export type ConsistentReads = {
  /** Undefined: no fact of this space is known. */
  head(reader: Reader, spaceId: string): MaybePromise<Head | undefined>;
  resource(
    reader: Reader,
    spaceId: string,
    id: string,
  ): MaybePromise<{ resource: StoredResource | undefined; isStale: boolean }>;
  /** Of all that is asked of the read model itself: lists, histories, facts. `seen`: what it must have besides. */
  isStale(reader: Reader, seen?: Seen): MaybePromise<boolean>;
  /** The space of a list where all of it is remembered, and the name of the store it was read from; undefined where the read model is to be asked. */
  replica(
    reader: Reader,
    query: ResourceQuery,
  ): MaybePromise<{ readonly space: SpaceReplica; readonly epoch: string; readonly isStale: boolean } | undefined>;
  /** The `seq` up to which the read model has the space's facts; 0 where it has none. */
  projectedSeq(spaceId: string): MaybePromise<number>;
  /** Never throws. */
  wrote(write: Wrote): MaybePromise<void>;
  /** The user of an operation that was answered before it was decided; undefined where there is none such. */
  pending(spaceId: string, operationId: string): MaybePromise<string | undefined>;
};
