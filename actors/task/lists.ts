/** Pages of lists, tagged with what they were made of, so that one who asks again is told "the same" without a query. */
import { createHash } from "node:crypto";
import type { Answer, Call } from "../http/route.ts";
import { hasTag } from "./conditions.ts";
import { all, type MaybePromise, then } from "./maybe-promise.ts";
import type { ConsistentReads, Reader, Seen, SpaceReads, SpaceReplica } from "./ports.ts";
import type { ResourceQuery } from "./resource-query.ts";

export type Lists = {
  isStale(reader: Reader): MaybePromise<boolean>;
  /** The latest `seq` that the read model has. */
  seqOf(spaceId: string): MaybePromise<number>;
  /**
   * `read` makes the page; what it is made of are these spaces, its URL and its reader. The spaces are looked up once what the reader has written is there:
   * one that was made or joined just now is among them.
   */
  page(
    call: Call,
    reader: Reader,
    spacesOf: () => MaybePromise<readonly string[]>,
    read: (spaceIds: readonly string[]) => MaybePromise<string>,
  ): MaybePromise<Answer>;
  /** The same of one space, which `read` is given where all of it is remembered: then nothing need be waited for that is told. */
  pageOfSpace(
    call: Call,
    reader: Reader,
    query: ResourceQuery,
    read: (replica: SpaceReplica | undefined) => MaybePromise<string>,
  ): MaybePromise<Answer>;
};

/** Characters of pages remembered at most; the oldest go first. */
const rememberedMax = 8_000_000;
/** Of a page that may lack some of its reader's writes. No other tag is without quotes. */
const staleTag = "stale";

export type ListsParts = {
  readonly reads: Pick<SpaceReads, "epoch">;
  readonly consistent: Pick<ConsistentReads, "isStale" | "projectedSeq" | "replica">;
};

/** What a page is of. `seqOf`: of the latest fact that it has. */
type Of = {
  readonly spaceIds: readonly string[];
  readonly isStale: boolean;
  /** The name of the store that it is of; undefined: of the one that there is now. */
  readonly epoch?: string;
  readonly seqOf: (spaceId: string) => MaybePromise<number>;
};

export function lists({ reads, consistent }: ListsParts): Lists {
  const pages = new Map<string, { readonly tag: string; readonly text: string }>();
  let chars = 0;
  /** Pages that are being made, for all who ask for the same meanwhile. */
  const underWay = new Map<string, { readonly tag: string; readonly text: Promise<string> }>();

  function made(key: string, tag: string, read: () => MaybePromise<string>): MaybePromise<string> {
    const before = underWay.get(key);
    if (before?.tag === tag) return before.text;
    const text = read();
    if (!(text instanceof Promise)) return text;
    const making = { tag, text };
    underWay.set(key, making);
    const over = () => {
      if (underWay.get(key) === making) underWay.delete(key);
    };
    text.then(over, over);
    return text;
  }

  function remember(key: string, tag: string, text: string): void {
    forget(key);
    pages.set(key, { tag, text });
    chars += text.length;
    for (const oldest of pages.keys()) {
      if (chars <= rememberedMax) break;
      forget(oldest);
    }
  }

  function forget(key: string): void {
    chars -= pages.get(key)?.text.length ?? 0;
    pages.delete(key);
  }

  /** Changes with every fact of the spaces. It is read before the page, which may then only be newer than it says. */
  function tagOf({ spaceIds, epoch: known, seqOf }: Of): MaybePromise<string> {
    return then(known ?? reads.epoch(), (epoch) => {
      return then(all(spaceIds.map(seqOf)), (known) => {
        // Each of them only grows, and one that comes or goes is another list of spaces.
        const mark = spaceIds.length === 1 ? `${known[0]}` : hashOf(spaceIds.join() + known.join());
        return `"${epoch.slice(0, 8)}.${mark}"`;
      });
    });
  }

  function pageOf(
    { request }: Call,
    { userId, token }: Reader,
    of: Of,
    read: () => MaybePromise<string>,
  ): MaybePromise<Answer> {
    const { spaceIds, isStale } = of;
    const key = `${userId} ${spaceIds.length === 1 ? spaceIds[0] : ""} ${request.url}`;
    if (isStale) {
      // What a token names must be in it: a page that was begun before may lack that.
      const found = token === undefined ? made(key, staleTag, read) : read();
      return then(found, (text) => ({ status: 200, json: text, headers: { consistency: "stale" } }));
    }
    return then(tagOf(of), (tag) => {
      const headers = { etag: tag };
      if (hasTag(request.headers.get("if-none-match"), tag)) return { status: 304, headers };
      const known = pages.get(key);
      if (known?.tag === tag) return { status: 200, json: known.text, headers };
      return then(made(key, tag, read), (text) => {
        remember(key, tag, text);
        return { status: 200, json: text, headers };
      });
    });
  }

  const seqOf = (spaceId: string) => consistent.projectedSeq(spaceId);

  return {
    isStale: (reader) => consistent.isStale(reader),
    seqOf,
    page: (call, reader, spacesOf, read) =>
      then(consistent.isStale(reader), (isStale) =>
        then(spacesOf(), (spaceIds) => pageOf(call, reader, { spaceIds, isStale, seqOf }, () => read(spaceIds))),
      ),
    pageOfSpace: (call, reader, query, read) =>
      then(consistent.replica(reader, query), (replica) => {
        const { spaceIds } = query;
        if (replica === undefined)
          return then(consistent.isStale(reader, seenIn(query)), (isStale) =>
            pageOf(call, reader, { spaceIds, isStale, seqOf }, () => read(undefined)),
          );
        const { space, epoch, isStale } = replica;
        return pageOf(call, reader, { spaceIds, isStale, epoch, seqOf: () => space.seq() }, () => read(space));
      }),
  };
}

function seenIn({ spaceIds: [spaceId], seenOffset = -1 }: ResourceQuery): Seen | undefined {
  return spaceId === undefined ? undefined : { spaceId, offset: seenOffset };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 16);
}
