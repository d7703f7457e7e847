/** Reads of what is in spaces. Whoever asks has been found to be a member. */
import type { Site } from "../http/site.ts";
import { instantMs } from "../model/instant.ts";
import { Problem } from "../model/problem.ts";
import type { Document, Fields } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { memberIdOf, personalDocument } from "../resources/head.ts";
import { toldChange } from "../resources/past.ts";
import { registry, typeNamed } from "../resources/registry.ts";
import { resourceText, shownFields } from "../resources/served.ts";
import { refusalJson, seqOf } from "./change-answers.ts";
import { sealCursor, unsealCursor } from "./cursor.ts";
import { all, type MaybePromise, then } from "./maybe-promise.ts";
import { documentAt, type Moment } from "./past.ts";
import type { ConsistentReads, ListedResource, Reader, SpaceReads, SpaceReplica, StoredResource } from "./ports.ts";
import { cursorAfter, type ResourceQuery } from "./resource-query.ts";
import { pageOf, walkedPage } from "./walk.ts";

/** A read's answer as JSON text. */
export type Shown = { readonly json: string; readonly isStale: boolean; readonly version?: number };

export type SpaceQueries = {
  /** A living one, or a deleted one. Throws `not-found`, as all that read one resource do. */
  get(
    reader: Reader,
    spaceId: string,
    type: string,
    id: string,
    which?: { readonly isDeleted: boolean },
  ): MaybePromise<Shown & { readonly version: number }>;
  past(
    reader: Reader,
    spaceId: string,
    type: string,
    id: string,
    moment: Moment,
  ): MaybePromise<Shown & { readonly version: number }>;
  /** What a personal space has without any fact: itself and its one member. Nothing of a shared one. */
  born(spaceId: string): readonly StoredResource[];
  /** The text of a page; it may be of a replica of the space. */
  page(reader: Reader, query: ResourceQuery, replica?: SpaceReplica): MaybePromise<string>;
  history(
    reader: Reader,
    of: { spaceId: string; type: string; id: string },
    page: { limit: number; cursor: string | null },
  ): MaybePromise<Shown>;
  operation(reader: Reader, spaceId: string, id: string): MaybePromise<Shown>;
  /** Documents of one operation as they are served, by id; undefined where deleted. `asOf`: as they were served when it was decided. */
  textsOf(
    reader: Reader,
    documents: ReadonlyMap<string, Document>,
    options?: { readonly withDeleted?: boolean; readonly asOf?: Fact | undefined },
  ): MaybePromise<ReadonlyMap<string, string | undefined>>;
};

export type SpaceQueriesParts = {
  readonly reads: SpaceReads;
  readonly consistent: ConsistentReads;
  /** As `SpaceChanges` has it. */
  readonly documentsOf: (fact: Fact) => MaybePromise<ReadonlyMap<string, Document>>;
  readonly site: Pick<Site, "url">;
};

const first = Number.MAX_SAFE_INTEGER;

export function spaceQueries({ reads, consistent, documentsOf, site }: SpaceQueriesParts): SpaceQueries {
  /** The resource of this type, deleted or not, with whether the reader's own writes to it may be missing. */
  function find(
    reader: Reader,
    spaceId: string,
    type: string,
    id: string,
  ): MaybePromise<{ resource: StoredResource; isStale: boolean }> {
    return then(consistent.resource(reader, spaceId, id), ({ resource, isStale }) => {
      const found = resource ?? bornResource(spaceId, id);
      if (found?.type !== type) throw missing(isStale);
      return { resource: found, isStale };
    });
  }

  type FieldsOf = (spaceId: string, id: string) => MaybePromise<Fields | undefined>;

  /** With what is shown in the place of stored values. `fieldsOf`: of what it refers to. */
  function shownText(document: Document, fieldsOf: FieldsOf): MaybePromise<string> {
    const type = typeNamed(registry, document.type);
    const by = document.fields[type.shown?.by ?? ""];
    if (typeof by !== "string") return resourceText(type, document);
    return then(fieldsOf(document.spaceId, by), (fields) =>
      resourceText(type, document, shownFields(type, document.fields, fields)),
    );
  }

  /** As the read model has it. */
  const fieldsNow =
    (reader: Reader): FieldsOf =>
    (spaceId, id) =>
      then(consistent.resource({ userId: reader.userId, token: undefined }, spaceId, id), ({ resource }) =>
        resource === undefined ? undefined : (JSON.parse(resource.text) as Fields),
      );

  /** As it was when an operation was decided. Many documents may refer to the same: it is read once. */
  function fieldsThen(fact: Fact): FieldsOf {
    const known = new Map<string, MaybePromise<Fields | undefined>>();
    return (spaceId, id) => {
      const found =
        known.get(id) ?? then(documentAt(reads, spaceId, id, { seq: seqOf(fact) }), (document) => document?.fields);
      known.set(id, found);
      return found;
    };
  }

  function textsOf(
    reader: Reader,
    documents: ReadonlyMap<string, Document>,
    { withDeleted = false, asOf: fact }: { withDeleted?: boolean; asOf?: Fact | undefined } = {},
  ): MaybePromise<ReadonlyMap<string, string | undefined>> {
    const fieldsOf = fact === undefined ? fieldsNow(reader) : fieldsThen(fact);
    const texts = [...documents.values()].map((each) =>
      withDeleted || each.deletedBy === undefined ? shownText(each, fieldsOf) : undefined,
    );
    return then(all(texts), (known) => new Map([...documents.keys()].map((id, at) => [id, known[at]])));
  }

  /** All that the page's reader was promised to see is older: heads follow documents. */
  function begunMs({ spaceIds }: ResourceQuery): MaybePromise<number | undefined> {
    return then(all(spaceIds.map((spaceId) => reads.head(spaceId))), (heads) => {
      const instants = heads.flatMap((head) => instantMs(head?.at ?? "") ?? []);
      return instants.length === 0 ? undefined : Math.max(...instants);
    });
  }

  return {
    textsOf,

    get: (reader, spaceId, type, id, { isDeleted } = { isDeleted: false }) =>
      then(find(reader, spaceId, type, id), ({ resource, isStale }) => {
        if (resource.isDeleted !== isDeleted) throw missing(isStale);
        return { json: resource.text, version: resource.version, isStale };
      }),

    past: (reader, spaceId, type, id, moment) =>
      then(consistent.isStale(reader), (isStale) =>
        then(documentAt(reads, spaceId, id, moment), (document) => {
          if (document?.type !== type || document.deletedBy !== undefined) throw missing(isStale);
          const { version } = document;
          return { json: resourceText(typeNamed(registry, type), document), version, isStale };
        }),
      ),

    born: (spaceId) => [spaceId, memberIdOf(spaceId)].flatMap((id) => bornResource(spaceId, id) ?? []),

    page(reader, query, replica) {
      const [spaceId = ""] = query.spaceIds;
      // A personal space has its one member without any fact.
      const born = query.type === "member" ? bornResource(spaceId, memberIdOf(spaceId)) : undefined;
      if (born !== undefined && spaceId === reader.userId)
        return `{"items":[${query.deleted ? "" : born.text}],"nextCursor":null}`;
      if (replica !== undefined) {
        const { items, end } = pageOf(query, replica.list(query));
        const walk = { ...query, begunMs: query.begunMs ?? replica.atMs(), seenOffset: replica.position() };
        return pageText(items, end === undefined ? null : cursorAfter(walk, end));
      }
      return then(walkedPage(reads, query), ({ items, end }) =>
        end === undefined
          ? pageText(items, null)
          : then(query.begunMs ?? begunMs(query), (begunMs) =>
              pageText(items, cursorAfter({ ...query, begunMs }, end)),
            ),
      );
    },

    history: (reader, { spaceId, type, id }, { limit, cursor }) =>
      then(consistent.isStale(reader), (isStale) =>
        then(find(reader, spaceId, type, id), () => {
          const boundTo = ["history", reader.userId, spaceId, id];
          const below = cursor === null ? first : pageEnd(unsealCursor(cursor, boundTo));
          return then(reads.changes(spaceId, id, below, limit + 1), (changes) => {
            const items = changes.slice(0, limit).map(({ fact, change }) => {
              const { version, kind, fields } = toldChange(registry, change);
              const { seq, at, actorId, operationId } = fact;
              return { version, seq, kind, at, actorId, operationId, changes: fields };
            });
            const nextCursor = changes.length > limit ? sealCursor([items.at(-1)?.version], boundTo) : null;
            return { json: JSON.stringify({ items, nextCursor }), isStale };
          });
        }),
      ),

    operation: (reader, spaceId, id) =>
      then(consistent.isStale(reader), (isStale) =>
        then(reads.operation(spaceId, id), (fact) => {
          if (fact === undefined)
            return then(consistent.pending(spaceId, id), (author) => {
              if (author !== reader.userId) throw missing(isStale);
              return { json: JSON.stringify({ id, status: "pending" }), isStale };
            });
          // What was refused is its author's alone.
          if (fact.verdict === "rejected" && fact.actorId !== reader.userId) throw missing(isStale);
          return then(operationText(reader, fact), (json) => ({ json, isStale }));
        }),
      ),
  };

  function operationText(reader: Reader, fact: Fact): MaybePromise<string> {
    const { operationId: id, refusal } = fact;
    if (refusal !== undefined) {
      const problem = refusalJson(refusal, site);
      return JSON.stringify({ id, status: "rejected", problem });
    }
    return then(documentsOf(fact), (all) =>
      then(
        textsOf(reader, seenOf(all, reader.userId === fact.actorId), { asOf: fact }),
        (texts) => `{"id":"${id}","status":"applied",${operationMembers(fact, texts)}}`,
      ),
    );
  }
}

/** `seq` and `items` of an operation that was not refused. */
export function operationMembers(fact: Fact, texts: ReadonlyMap<string, string | undefined>): string {
  return `"seq":${seqOf(fact)},"items":[${fact.answers.map((id) => texts.get(id) ?? "null").join(",")}]`;
}

/** Documents that not every member sees are shown to the author alone. */
function seenOf(documents: ReadonlyMap<string, Document>, isAuthor: boolean): ReadonlyMap<string, Document> {
  if (isAuthor) return documents;
  return new Map([...documents].filter(([, { type }]) => typeNamed(registry, type).seenBy === undefined));
}

/** `not-found`, and whether it may be there in what the reader wrote last. */
export function missing(isStale: boolean): Problem {
  return new Problem("not-found", undefined, isStale ? { headers: { consistency: "stale" } } : {});
}

/** What a personal space has from the start. */
function bornResource(spaceId: string, id: string): StoredResource | undefined {
  const document = personalDocument(spaceId, id);
  if (document === undefined) return undefined;
  const { type, version } = document;
  return { spaceId, id, type, version, isDeleted: false, text: resourceText(typeNamed(registry, type), document) };
}

function pageText(items: readonly ListedResource[], nextCursor: string | null): string {
  return `{"items":[${items.map(({ text }) => text).join(",")}],"nextCursor":${JSON.stringify(nextCursor)}}`;
}

/** The version that a page of history ended with. */
function pageEnd([version]: readonly unknown[]): number {
  if (typeof version !== "number" || !Number.isSafeInteger(version)) throw new Problem("invalid-cursor");
  return version;
}
