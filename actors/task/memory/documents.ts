/**
 * Resources that a `task` worker remembers: what the writers told, and what was read. A change that was told is either remembered, or at a position up to
 * which the worker knows that it has forgotten some: whoever reads elsewhere needs something that is as new as that.
 */
import type { Document, Fields } from "../../resources/document.ts";
import { columnsOf, shownColumn } from "../../resources/project.ts";
import type { Registry } from "../../resources/registry.ts";
import { resourceText } from "../../resources/served.ts";
import type { Verdict } from "../../resources/verdict.ts";
import type { StoredResource } from "../ports.ts";

export type SpaceDocuments = {
  /** A verdict of this partition. */
  take(partition: number, verdict: Verdict): void;
  /** As an operation at this position left it. */
  put(partition: number, position: number, document: Document): void;
  /** The version that is there at least where it is remembered; its text is undefined where only the read model has it. */
  get(spaceId: string, id: string): Remembered | undefined;
  /** What was read from a copy that had everything up to a position. */
  fill(partition: number, resource: StoredResource, upTo: number): void;
  /** A change up to this position may be of something that is not remembered. */
  forgottenTo(partition: number): number;
  /** Nothing of the partition is known any more up to this position. */
  forget(partition: number, upTo: number): void;
};

export type Remembered = {
  readonly partition: number;
  /** Of the operation that left it so; -1 where it was read. */
  readonly position: number;
  readonly version: number;
  /** The project by whose columns it is shown, where there is one. */
  readonly shownBy: string | undefined;
  /** As it is served. Undefined: by a project that is not remembered, or as only the read model knows. */
  resource(): StoredResource | undefined;
};

/** Characters remembered at most. */
const rememberedCharsMax = 24_000_000;
/** What an entry has beside its texts. */
const charsOfEntry = 300;

type Entry = Remembered & {
  readonly spaceId: string;
  readonly document?: Document;
  readonly chars: number;
  forgetText(): void;
};

export function spaceDocuments(registry: Registry, { charsMax = rememberedCharsMax } = {}): SpaceDocuments {
  /** In the order of their last use. */
  const entries = new Map<string, Entry>();
  const forgotten: number[] = [];
  let chars = 0;
  const forgottenTo = (partition: number): number => forgotten[partition] ?? -1;

  function remember(key: string, entry: Entry): void {
    const before = entries.get(key);
    if (
      before !== undefined &&
      (before.version > entry.version || (before.version === entry.version && before.document))
    )
      return;
    chars += entry.chars - (before?.chars ?? 0);
    entries.delete(key);
    entries.set(key, entry);
    for (const [oldest, each] of entries) {
      if (chars <= charsMax) break;
      drop(oldest, each);
    }
  }

  function drop(key: string, { partition, position, chars: its }: Entry): void {
    entries.delete(key);
    chars -= its;
    forgotten[partition] = Math.max(forgottenTo(partition), position);
  }

  function put(partition: number, position: number, document: Document): void {
    const { spaceId, id, type, version } = document;
    let known: StoredResource | undefined;
    const shownBy = projectOf(document);
    const resource = (): StoredResource | undefined => {
      if (known !== undefined) return known;
      const its = registry.get(type);
      const shown = shownBy === undefined ? {} : shownFields(document, get(spaceId, shownBy));
      if (its === undefined || shown === undefined) return undefined;
      const text = resourceText(its, document, shown);
      known = { spaceId, id, type, version, isDeleted: document.deletedBy !== undefined, text };
      return known;
    };
    const forgetText = () => {
      known = undefined;
    };
    const size = charsOfEntry + charsOfFields(document.fields);
    remember(keyOf(spaceId, id), {
      partition,
      position,
      version,
      spaceId,
      document,
      shownBy,
      chars: size,
      resource,
      forgetText,
    });
  }

  function get(spaceId: string, id: string): Entry | undefined {
    const key = keyOf(spaceId, id);
    const entry = entries.get(key);
    if (entry === undefined) return undefined;
    entries.delete(key);
    entries.set(key, entry);
    return entry;
  }

  /** Who is shown by a project's columns is shown otherwise. */
  function reshow(spaceId: string, projectId: string, position: number): void {
    for (const [key, entry] of entries) {
      if (entry.spaceId !== spaceId || entry.shownBy !== projectId) continue;
      if (entry.document !== undefined) entry.forgetText();
      else drop(key, { ...entry, position });
    }
  }

  return {
    put,
    get,
    forgottenTo,
    take(partition, verdict) {
      if (verdict.kind !== "decided" || verdict.fact.seq === undefined) return;
      const { fact, documents, position, spaceId } = verdict;
      for (const document of documents) put(partition, position, document);
      const told = new Set(documents.map(({ id }) => id));
      for (const { id, type, version, fields } of fact.changes) {
        const bare = { partition, position, version, spaceId, shownBy: undefined, chars: charsOfEntry };
        if (!told.has(id))
          remember(keyOf(spaceId, id), { ...bare, resource: () => undefined, forgetText: () => undefined });
        if (type === "project" && fields.columns !== undefined) reshow(spaceId, id, position);
      }
    },

    fill(partition, resource, upTo) {
      // What was told since, and forgotten again, would be missing in it.
      if (upTo < forgottenTo(partition)) return;
      const { spaceId, id, type, version, text } = resource;
      const shownBy = type === "task" && !text.includes('"projectId":null') ? projectIn(text) : undefined;
      remember(keyOf(spaceId, id), {
        partition,
        position: -1,
        version,
        spaceId,
        shownBy,
        chars: charsOfEntry + text.length,
        resource: () => resource,
        forgetText: () => undefined,
      });
    },

    forget(partition, upTo) {
      for (const [key, entry] of entries) if (entry.partition === partition) drop(key, entry);
      forgotten[partition] = Math.max(forgottenTo(partition), upTo);
    },
  };
}

function keyOf(spaceId: string, id: string): string {
  return `${spaceId} ${id}`;
}

function projectOf({ type, fields }: Document): string | undefined {
  return type === "task" && typeof fields.projectId === "string" && fields.columnId !== null
    ? fields.projectId
    : undefined;
}

function projectIn(text: string): string | undefined {
  const [, id] = /"projectId":"([0-9a-f-]{36})"/.exec(text) ?? [];
  return id;
}

/** Undefined: the project's columns are not known. */
function shownFields(document: Document, project: Entry | undefined): Fields | undefined {
  const known = project?.document ?? project?.resource();
  if (known === undefined) return undefined;
  const fields = "fields" in known ? known.fields : (JSON.parse(known.text) as Fields);
  const columns = columnsOf({ fields } as Document);
  return { columnId: shownColumn(columns, document.fields)?.id ?? null };
}

function charsOfFields(fields: Fields): number {
  return Object.values(fields).reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : 40), 0);
}
