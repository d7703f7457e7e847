/**
 * All streams of events of one worker (section 3.7 of the contract). What happened is read from the facts and never told otherwise: by their numbers a stream
 * knows that it misses nothing and repeats nothing. One look at a space serves all streams that follow it. They are served in turn, each with all that is
 * there when its turn comes: however many they are, a fact is on all of them one round after it was found, and each round is one write to each stream.
 */
import { Problem } from "../model/problem.ts";
import { type EventStream, eventBytes, eventStream } from "./event-stream.ts";
import { type FeedSource, type Followed, followedMax, headOf, isSeen, lastChanged } from "./feed-source.ts";
import { type Piece, SpaceTail } from "./space-tail.ts";
import { backlog, cut, lag, open, told } from "./stream-counts.ts";
import { bye, factBytes } from "./stream-texts.ts";

export type Follower = {
  readonly userId: string;
  /** By which a revocation names it. */
  readonly credential: string;
  readonly expMs: number;
  /** None: all of the user's, and those joined later. */
  readonly followed: readonly Followed[];
};

export type Streams = {
  /** Throws `rate-limited`. */
  open(follower: Follower): Promise<ReadableStream<Uint8Array>>;
  /** Ends the streams of these credentials. */
  revoke(hashes: readonly string[]): void;
  /** Ends all, telling them to come back soon. */
  drain(): void;
};

const streamsOfUserMax = 20;
const tickMs = 15;
/** Writes between two turns of the thread: what it does besides waits for a millisecond or so at each step. */
const writesAtOnce = 64;
const commentsAtOnce = 256;
const keepAliveMs = 15_000;
const backlogEveryMs = 1_000;
const membershipsMs = 5_000;
const factsAtOnce = 200;
const bytesAtOnce = 256 * 1024;
/** From a failure of the read model to the next reading. */
const readAgainMs = 1_000;
/** Within which readers of a draining process are to come back, each at another moment. */
const comeBackMs = 2_000;

const keepAlive = new TextEncoder().encode(": \n\n");
const comeBackIn = () => Math.ceil(Math.random() * comeBackMs);
const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

type Stream = {
  readonly follower: Follower;
  readonly out: EventStream;
  /** By space. */
  readonly following: Map<string, Place>;
  mark: number;
  /** When it had its last sign of life, and its user's memberships were looked at. */
  keptMs: number;
  lookedMs: number;
  isLooking: boolean;
};

/** Where a stream is in a space. */
type Place = {
  /** The last `seq` given. */
  given: number;
  /** It still reads the past, at its reader's own pace. */
  isBehind: boolean;
};

/** What is known of a space that somebody follows. */
type Space = {
  readonly followers: Set<Stream>;
  readonly tail: SpaceTail;
  mark: number;
  isLooking: boolean;
  isServing: boolean;
  /** Something may be new since the round under way has begun. */
  isNew: boolean;
};

export function streams(source: FeedSource, now: () => number): Streams {
  const all = new Set<Stream>();
  const byUser = new Map<string, Set<Stream>>();
  const spaces = new Map<string, Space>();
  let ticking: ReturnType<typeof setInterval> | undefined;
  let countedMs = 0;
  let isDraining = false;

  function begin(follower: Follower): Stream {
    const own = byUser.get(follower.userId) ?? new Set();
    if (own.size >= streamsOfUserMax)
      throw new Problem("rate-limited", `A user has at most ${streamsOfUserMax} streams.`, {
        headers: { "retry-after": "5" },
      });
    const stream: Stream = {
      follower,
      out: eventStream((reason) => {
        if (reason === "slow") cut.add();
        end(stream);
      }),
      following: new Map(),
      mark: source.mark(follower.userId),
      keptMs: now(),
      lookedMs: now(),
      isLooking: false,
    };
    own.add(stream);
    byUser.set(follower.userId, own);
    all.add(stream);
    open.set(all.size);
    ticking ??= setInterval(tick, tickMs);
    return stream;
  }

  function end(stream: Stream): void {
    all.delete(stream);
    open.set(all.size);
    const own = byUser.get(stream.follower.userId);
    own?.delete(stream);
    if (own?.size === 0) byUser.delete(stream.follower.userId);
    for (const spaceId of stream.following.keys()) unfollow(stream, spaceId);
    if (all.size > 0) return;
    backlog.set(0);
    clearInterval(ticking);
    ticking = undefined;
  }

  function unfollow(stream: Stream, spaceId: string): void {
    stream.following.delete(spaceId);
    const space = spaces.get(spaceId);
    space?.followers.delete(stream);
    if (space?.followers.size === 0) spaces.delete(spaceId);
  }

  /** Begins with a `hello`, or with why not. */
  async function follow(stream: Stream, { spaceId, after }: Followed, isJoined = false): Promise<void> {
    if (stream.following.has(spaceId)) return;
    const mark = source.mark(spaceId);
    const head = await headOf(source, spaceId, stream.follower.userId);
    if (stream.out.isOver || stream.following.has(spaceId)) return;
    if (head === undefined || !isSeen(head, stream.follower.userId)) {
      send(stream, "left", { spaceId });
      return;
    }
    const epoch = await source.epoch();
    if (stream.out.isOver || stream.following.has(spaceId)) return;
    if (after !== undefined && after > head.seq) {
      send(stream, "resync", { spaceId, seq: head.seq, epoch });
      return;
    }
    if (isJoined) send(stream, "joined", { spaceId });
    send(stream, "hello", { spaceId, seq: head.seq, epoch });
    const space = spaces.get(spaceId) ?? {
      followers: new Set(),
      tail: new SpaceTail(head),
      mark,
      isLooking: false,
      isServing: false,
      isNew: false,
    };
    spaces.set(spaceId, space);
    space.followers.add(stream);
    const place = { given: after ?? head.seq, isBehind: false };
    stream.following.set(spaceId, place);
    if (place.given < space.tail.seq) void catchUp(stream, spaceId, place);
  }

  function send(stream: Stream, event: string, data: object): void {
    stream.out.send(eventBytes({ event, json: JSON.stringify(data) }));
  }

  function deliver(stream: Stream, place: Place, { bytes, facts, last }: Omit<Piece, "isEnd">): void {
    if (facts === 0 || !stream.out.send(bytes)) return;
    place.given = last;
    told.add(facts);
  }

  /** Reads what the stream lacks at its reader's own pace, until live facts follow without gap. */
  async function catchUp(stream: Stream, spaceId: string, place: Place): Promise<void> {
    place.isBehind = true;
    for (;;) {
      await stream.out.room();
      const tail = spaces.get(spaceId)?.tail;
      // What ended meanwhile is told by the round.
      if (stream.following.get(spaceId) !== place || tail === undefined || place.given >= tail.seq) break;
      if (!(await readOn(stream, spaceId, place))) await new Promise((resolve) => setTimeout(resolve, readAgainMs));
    }
    place.isBehind = false;
  }

  /** False where the read model is away, or does not have yet what is told already. */
  async function readOn(stream: Stream, spaceId: string, place: Place): Promise<boolean> {
    try {
      const found = await source.facts(spaceId, place.given, factsAtOnce, bytesAtOnce);
      for (const fact of found) {
        const { given } = place;
        // Facts that the space's tail has not seen could be of a time when the reader was no member any more.
        const isTold = stream.following.get(spaceId) === place && given < (spaces.get(spaceId)?.tail.seq ?? 0);
        if (isTold && fact.seq === given + 1)
          deliver(stream, place, { bytes: factBytes(fact), facts: 1, last: given + 1 });
      }
      return found.length > 0;
    } catch {
      return false;
    }
  }

  /** Finds what is new in a space. */
  async function look(spaceId: string, space: Space): Promise<void> {
    const { tail } = space;
    const mark = source.mark(spaceId);
    const head = await source.head(spaceId);
    if (head !== undefined) {
      while (tail.seq < head.seq && !tail.isFull) {
        const found = await source.facts(spaceId, tail.seq, factsAtOnce, bytesAtOnce);
        for (const fact of found) tail.add(fact);
        if (found.length === 0) break;
      }
      tail.see(head);
      space.isNew = true;
      if (!space.isServing) void serve(spaceId, space);
    }
    // Told, and not there to be read yet: the next look finds it.
    if (head === undefined || tail.seq >= head.seq) space.mark = mark;
  }

  /** Rounds of all followers, until a whole one has found nothing new. */
  async function serve(spaceId: string, space: Space): Promise<void> {
    const { followers, tail } = space;
    space.isServing = true;
    let writes = 0;
    while (space.isNew) {
      space.isNew = false;
      let least = tail.seq;
      for (const stream of followers) {
        const place = stream.following.get(spaceId);
        if (place === undefined) continue;
        const { given } = place;
        serveOne(stream, spaceId, place, tail);
        if (!place.isBehind && followers.has(stream)) least = Math.min(least, place.given);
        if (place.given === given || ++writes % writesAtOnce > 0) continue;
        await nextTurn();
        lookIfNew(spaceId, space);
      }
      const toldAt = tail.drop(least);
      if (writes > 0) for (const at of toldAt) lag.observe(Math.max(0, now() - Date.parse(at)) / 1_000);
      if (least < tail.seq) space.isNew = true;
      if (space.isNew) await nextTurn();
    }
    space.isServing = false;
  }

  function serveOne(stream: Stream, spaceId: string, place: Place, tail: SpaceTail): void {
    const { userId } = stream.follower;
    if (!place.isBehind && place.given < tail.seq) {
      const piece = tail.after(place.given, userId);
      if (piece === undefined) void catchUp(stream, spaceId, place);
      else {
        deliver(stream, place, piece);
        if (piece.isEnd && !stream.out.isOver) leave(stream, spaceId);
        return;
      }
    }
    if (tail.hasEnded(userId, place.given)) leave(stream, spaceId);
  }

  function leave(stream: Stream, spaceId: string): void {
    send(stream, "left", { spaceId });
    unfollow(stream, spaceId);
  }

  function isLookDue({ follower, isLooking, lookedMs, mark }: Stream, nowMs: number): boolean {
    if (follower.followed.length > 0 || isLooking) return false;
    return source.mark(follower.userId) !== mark || nowMs - lookedMs >= membershipsMs;
  }

  /** Spaces of the user that it does not follow yet; those that ended are found by their facts. */
  async function lookAtUser(stream: Stream, nowMs: number): Promise<void> {
    const { userId } = stream.follower;
    const mark = source.mark(userId);
    stream.lookedMs = nowMs;
    stream.isLooking = true;
    try {
      for (const { spaceId, isDeleted } of await source.memberships(userId))
        if (!isDeleted && stream.following.size < followedMax) await follow(stream, { spaceId }, true);
      stream.mark = mark;
    } catch {
      // Looked at again soon.
    } finally {
      stream.isLooking = false;
    }
  }

  function countBacklog(nowMs: number): void {
    countedMs = nowMs;
    backlog.set([...all].reduce((bytes, { out }) => bytes + out.backlog, 0));
  }

  function tick(): void {
    const nowMs = now();
    if (nowMs - countedMs >= backlogEveryMs) countBacklog(nowMs);
    let comments = 0;
    for (const stream of all) {
      if (nowMs >= stream.follower.expMs) stream.out.end(bye());
      else if (nowMs - stream.keptMs >= keepAliveMs && ++comments <= commentsAtOnce) {
        stream.keptMs = nowMs;
        stream.out.send(keepAlive);
      }
      if (!stream.out.isOver && isLookDue(stream, nowMs)) void lookAtUser(stream, nowMs);
    }
    for (const [spaceId, space] of spaces) lookIfNew(spaceId, space);
  }

  function lookIfNew(spaceId: string, space: Space): void {
    if (space.isLooking || source.mark(spaceId) === space.mark) return;
    space.isLooking = true;
    void look(spaceId, space)
      .catch(() => undefined)
      .finally(() => {
        space.isLooking = false;
      });
  }

  return {
    async open(follower) {
      const stream = begin(follower);
      if (isDraining) {
        stream.out.end(bye(comeBackIn()));
        return stream.out.body;
      }
      try {
        const { followed, userId } = follower;
        for (const each of followed.length > 0 ? followed : await lastChanged(source, userId))
          await follow(stream, each);
      } catch (failure) {
        stream.out.end(bye());
        throw failure;
      }
      return stream.out.body;
    },
    revoke(hashes) {
      const ended = new Set(hashes);
      for (const stream of all) if (ended.has(stream.follower.credential)) stream.out.end(bye());
    },
    drain() {
      isDraining = true;
      for (const stream of all) stream.out.end(bye(comeBackIn()));
    },
  };
}
