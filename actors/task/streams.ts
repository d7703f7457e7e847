/**
 * All streams of events of one worker (section 3.7 of the contract). What happened is read from the facts and never told otherwise: by their numbers a stream
 * knows that it misses nothing and repeats nothing. One look at a space serves all streams that follow it.
 */
import { counter, gauge, histogram } from "../metrics/registry.ts";
import { Problem } from "../model/problem.ts";
import type { Head } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { isPersonal, personalHead } from "../resources/head.ts";
import { type EventStream, eventBytes, eventStream } from "./event-stream.ts";
import { type FeedSource, type Followed, followedMax, isSeen, lastChanged, rosterOf } from "./feed-source.ts";
import { bye, factBytes, isEndedBy, runsOf } from "./stream-texts.ts";

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

export const streamsOfUserMax = 20;
const tickMs = 15;
/** Writes between two turns of the thread. */
const writesAtOnce = 256;
const keepAliveMs = 15_000;
const backlogEveryMs = 1_000;
const membershipsMs = 5_000;
const factsAtOnce = 200;
const bytesAtOnce = 256 * 1024;
/** Within which readers of a draining process are to come back, each at another moment. */
const comeBackMs = 2_000;

const open = gauge("streams_open", "Streams of events that are open.");
const cut = counter("streams_cut_total", "Streams of events cut off because their readers did not keep up.");
const told = counter("stream_events_total", "Facts sent on streams of events.");
const backlog = gauge("stream_backlog_bytes", "Bytes that readers of streams have not taken yet.");
const lag = histogram(
  "stream_lag_seconds",
  "From the verdict on a change until its fact is written to all live streams.",
);
const keepAlive = new TextEncoder().encode(": \n\n");

type Stream = {
  readonly follower: Follower;
  readonly out: EventStream;
  /** By space, the last `seq` given. */
  readonly given: Map<string, number>;
  /** Spaces whose past it still reads. */
  readonly behind: Set<string>;
  mark: number;
  /** When it had its last sign of life, and its user's memberships were looked at. */
  keptMs: number;
  lookedMs: number;
  isLooking: boolean;
};

/** What is known of a space that somebody follows. */
type Space = {
  readonly followers: Set<Stream>;
  mark: number;
  seq: number;
  /** Of each member the id of the membership. */
  roster: ReadonlyMap<string, string>;
  isLooking: boolean;
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
      given: new Map(),
      behind: new Set(),
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
    for (const spaceId of stream.given.keys()) unfollow(stream, spaceId);
    if (all.size > 0) return;
    backlog.set(0);
    clearInterval(ticking);
    ticking = undefined;
  }

  function unfollow(stream: Stream, spaceId: string): void {
    stream.given.delete(spaceId);
    stream.behind.delete(spaceId);
    const space = spaces.get(spaceId);
    space?.followers.delete(stream);
    if (space?.followers.size === 0) spaces.delete(spaceId);
  }

  async function headOf(spaceId: string, userId: string): Promise<Head | undefined> {
    const known = await source.head(spaceId);
    return known ?? (isPersonal(spaceId, userId) ? personalHead(userId) : undefined);
  }

  /** Begins with a `hello`, or with why not. */
  async function follow(stream: Stream, { spaceId, after }: Followed, isJoined = false): Promise<void> {
    if (stream.given.has(spaceId)) return;
    const mark = source.mark(spaceId);
    const head = await headOf(spaceId, stream.follower.userId);
    if (stream.out.isOver || stream.given.has(spaceId)) return;
    if (head === undefined || !isSeen(head, stream.follower.userId)) {
      send(stream, "left", { spaceId });
      return;
    }
    const epoch = await source.epoch();
    if (stream.out.isOver || stream.given.has(spaceId)) return;
    if (after !== undefined && after > head.seq) {
      send(stream, "resync", { spaceId, seq: head.seq, epoch });
      return;
    }
    if (isJoined) send(stream, "joined", { spaceId });
    send(stream, "hello", { spaceId, seq: head.seq, epoch });
    const space = spaces.get(spaceId) ?? {
      followers: new Set(),
      mark,
      seq: head.seq,
      roster: rosterOf(head),
      isLooking: false,
    };
    spaces.set(spaceId, space);
    space.followers.add(stream);
    stream.given.set(spaceId, after ?? head.seq);
    if ((after ?? head.seq) < space.seq) void catchUp(stream, spaceId);
  }

  function send(stream: Stream, event: string, data: object): void {
    stream.out.send(eventBytes({ event, json: JSON.stringify(data) }));
  }

  /** `last`: of the facts in the bytes. */
  function deliver(stream: Stream, last: Fact, bytes: Uint8Array, facts: number): void {
    if (stream.out.send(bytes)) {
      stream.given.set(last.spaceId, last.seq ?? 0);
      told.add(facts);
    }
  }

  /** Reads what the stream lacks at its reader's own pace, until live facts follow without gap. */
  async function catchUp(stream: Stream, spaceId: string): Promise<void> {
    if (stream.behind.has(spaceId)) return;
    stream.behind.add(spaceId);
    try {
      for (;;) {
        await stream.out.room();
        const given = stream.given.get(spaceId);
        const space = spaces.get(spaceId);
        if (stream.out.isOver || given === undefined || space === undefined || given >= space.seq) break;
        const found = await source.facts(spaceId, given, factsAtOnce, bytesAtOnce);
        // Membership ended meanwhile is told by the look at the space.
        if (stream.out.isOver || !stream.given.has(spaceId)) break;
        if (found.length === 0) break;
        for (const fact of found) deliver(stream, fact, factBytes(fact), 1);
      }
    } catch {
      // The read model is away: gone on with at the next look.
    } finally {
      stream.behind.delete(spaceId);
    }
  }

  /** Tells all followers of a space what is new in it. */
  async function look(spaceId: string, space: Space): Promise<void> {
    const mark = source.mark(spaceId);
    const head = await source.head(spaceId);
    if (head === undefined) {
      space.mark = mark;
      return;
    }
    let isWhole = true;
    while (space.seq < head.seq) {
      const found = await source.facts(spaceId, space.seq, factsAtOnce, bytesAtOnce);
      if (found.length === 0) {
        // Told, and not there to be read yet: the next look finds it.
        isWhole = false;
        break;
      }
      for (const run of runsOf(found)) await tell(space, run);
    }
    if (isWhole) space.mark = mark;
    const roster = rosterOf(head);
    // Whoever has gone without a fact that was seen here.
    for (const stream of [...space.followers])
      if (isWhole && (head.isDeleted || !roster.has(stream.follower.userId))) leave(stream, spaceId);
      else if ((stream.given.get(spaceId) ?? 0) < space.seq && !stream.behind.has(spaceId))
        void catchUp(stream, spaceId);
    space.roster = roster;
  }

  /** One text and one write for all facts of a run. A stream that comes or is behind meanwhile catches up. */
  async function tell(space: Space, run: readonly Fact[]): Promise<void> {
    const [first, last] = [run[0] as Fact, run.at(-1) as Fact];
    const { spaceId, seq = 0 } = first;
    let bytes: Uint8Array | undefined;
    let writes = 0;
    for (const stream of [...space.followers]) {
      if (++writes % writesAtOnce === 0) await new Promise((resolve) => setImmediate(resolve));
      const given = stream.given.get(spaceId);
      // Has gone meanwhile, or came after the fact.
      if (given === undefined || given >= seq) continue;
      if (isEndedBy(first, space.roster.get(stream.follower.userId))) leave(stream, spaceId);
      else if (given === seq - 1 && !stream.behind.has(spaceId))
        deliver(stream, last, (bytes ??= Buffer.concat(run.map(factBytes))), run.length);
    }
    space.seq = last.seq ?? 0;
    if (writes > 0) for (const { at } of run) lag.observe(Math.max(0, now() - Date.parse(at)) / 1_000);
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
        if (!isDeleted && stream.given.size < followedMax) await follow(stream, { spaceId }, true);
      stream.mark = mark;
    } catch {
      // Looked at again soon.
    } finally {
      stream.isLooking = false;
    }
  }

  function countBacklog(nowMs: number): void {
    countedMs = nowMs;
    let bytes = 0;
    for (const { out } of all) bytes += out.backlog;
    backlog.set(bytes);
  }

  function tick(): void {
    const nowMs = now();
    if (nowMs - countedMs >= backlogEveryMs) countBacklog(nowMs);
    let comments = 0;
    for (const stream of [...all]) {
      if (nowMs >= stream.follower.expMs) stream.out.end(bye());
      else if (nowMs - stream.keptMs >= keepAliveMs && ++comments <= writesAtOnce) {
        stream.keptMs = nowMs;
        stream.out.send(keepAlive);
      }
      if (!stream.out.isOver && isLookDue(stream, nowMs)) void lookAtUser(stream, nowMs);
    }
    for (const [spaceId, space] of spaces) {
      if (space.isLooking || source.mark(spaceId) === space.mark) continue;
      space.isLooking = true;
      void look(spaceId, space)
        .catch(() => undefined)
        .finally(() => {
          space.isLooking = false;
        });
    }
  }

  return {
    async open(follower) {
      const stream = begin(follower);
      if (isDraining) {
        stream.out.end(bye());
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
      for (const stream of [...all]) if (ended.has(stream.follower.credential)) stream.out.end(bye());
    },
    drain() {
      isDraining = true;
      for (const stream of [...all]) stream.out.end(bye(Math.ceil(Math.random() * comeBackMs)));
    },
  };
}
