/** One space of a file, made again in a space of the server: creations first, then what closes or deletes, in an order in which each is allowed. */
import type { ResourceType } from "../../resources/resource-type.ts";
import { type Batches, batches, type Item, type ItemRefusal } from "./batches.ts";
import { type Change, closingFlags, creationOf, isNeeded, ownReference, rankField, type Target } from "./creation.ts";
import { creationOrder, type Placed } from "./creation-order.ts";
import type { FileDocument, ImportFile, Left } from "./import-file.ts";
import { importedTypes, type Resource } from "./moving-file.ts";
import type { ServerApi } from "./server-api.ts";
import { type SpaceState, spaceState } from "./space-state.ts";

export type ImportSpaceOptions = {
  readonly api: ServerApi;
  readonly file: Pick<ImportFile, "count" | "document" | "documents">;
  /** Which of the file's spaces. */
  readonly place: number;
  readonly spaceId: string;
  readonly target: Target;
  readonly left: (each: Left) => void;
  readonly onProgress: (done: number, total: number) => void;
};

export type ImportCounts = {
  /** By the type's name. */
  readonly made: Record<string, number>;
  /** The space had them. */
  present: number;
  /** Made, and somebody else's in the file. */
  ofOthers: number;
};

export async function importSpace(options: ImportSpaceOptions): Promise<ImportCounts> {
  const { api, file, place, spaceId, onProgress } = options;
  const state = spaceState(api, spaceId, file, place);
  await state.update();
  const counts: ImportCounts = { made: {}, present: 0, ofOthers: 0 };
  const total = file.count(place);
  let done = 0;
  const work = {
    ...options,
    state,
    counts,
    sending: batches(api, spaceId),
    gone: new Set<string>(),
    misplaced: [] as Move[],
    latest: new Map<string, { id: string; rank: string }>(),
    settled: () => onProgress(++done, total),
  };
  for (const type of importedTypes) await create(work, type);
  for (const type of importedTypes) await attach(work, type);
  const closing = importedTypes.filter((type) => closingFlags(type).length > 0);
  const others = importedTypes.filter((type) => !closing.includes(type)).reverse();
  for (const type of others) await finish(work, type);
  await move(work);
  for (const type of closing) await finish(work, type);
  return counts;
}

type Move = { readonly document: FileDocument; readonly after: string };
type Work = ImportSpaceOptions & {
  readonly state: SpaceState;
  readonly counts: ImportCounts;
  readonly sending: Batches;
  /** Ids that the server has refused to refer to. */
  readonly gone: Set<string>;
  /** Made at another place in the order than in the file. */
  readonly misplaced: Move[];
  /** By order: the last one made. */
  readonly latest: Map<string, { id: string; rank: string }>;
  readonly settled: () => void;
};

async function create(work: Work, type: ResourceType): Promise<void> {
  const { sending } = work;
  for (const { document, isDetached } of inOrder(work, type)) await sending.add(creation(work, document, isDetached));
  await sending.flush();
}

/** Those that the space does not have. */
function* inOrder(work: Work, type: ResourceType): Generator<{ document: FileDocument; isDetached: boolean }> {
  const { file, place, state, counts, settled } = work;
  const [rank, reference] = [rankField(type), ownReference(type)];
  const placed: Placed[] = [];
  for (const document of file.documents(place, type)) {
    const { resource } = document;
    if (state.of(resource.id) !== undefined) {
      counts.present += 1;
      settled();
    } else if (rank === undefined && reference === undefined) yield { document, isDetached: false };
    else
      placed.push({
        id: resource.id,
        group: groupOf(type, resource),
        rank: rank === undefined ? "" : String(resource[rank] ?? ""),
        parent: reference === undefined ? undefined : ((resource[reference] ?? undefined) as string | undefined),
      });
  }
  const { ids, detached } = creationOrder(placed);
  for (const id of ids) {
    const document = file.document(place, id);
    if (document !== undefined) yield { document, isDetached: detached.has(id) };
  }
}

/** The order that it stands in: that of its column, and of the space for what is in no project. */
function groupOf({ name }: ResourceType, { projectId, columnId }: Resource): string {
  return `${name} ${String(projectId ?? "")} ${projectId === null ? "" : String(columnId ?? "")}`;
}

function creation(work: Work, document: FileDocument, isDetached: boolean): Item {
  const { target, state, counts, gone, left, settled } = work;
  const { type, resource, line } = document;
  const reference = ownReference(type);
  const without = new Set(isDetached && reference !== undefined ? [reference] : []);
  const reasons: { field: string; reason: string }[] = [];
  let isOver = false;
  const end = (): void => {
    isOver = true;
    settled();
  };
  const drop = (field: string, reason: string): void => {
    without.add(field);
    // What it means hangs on the other: a column is one of the project.
    if (type.shown?.by === field) without.add(type.shown.field);
    reasons.push({ field, reason });
    if (!isNeeded(type, field)) return;
    left({ line, type: type.name, id: resource.id, reason: `${field} ${reason}` });
    end();
  };
  return {
    change() {
      // Another import, or one that was ended in the middle, has made it since.
      if (!isOver && state.of(resource.id) !== undefined) {
        counts.present += 1;
        end();
      }
      for (const [field, { form }] of Object.entries(type.fields))
        if (!isOver && form.kind === "reference" && !without.has(field) && gone.has(String(resource[field])))
          drop(field, `refers to what is not there`);
      return isOver ? undefined : creationOf({ type, resource, target, without }).change;
    },
    done(answer) {
      const isAttached = reference === undefined || resource[reference] === null || !without.has(reference);
      state.set(resource.id, { version: 1, isAttached: isAttached || !isDetached });
      counts.made[type.name] = (counts.made[type.name] ?? 0) + 1;
      if (target.userOf(resource.creatorId) !== answer?.creatorId) counts.ofOthers += 1;
      for (const { field, reason } of [...creationOf({ type, resource, target, without }).left, ...reasons])
        left({ line, type: type.name, id: resource.id, reason: `${field} ${reason}` });
      watchOrder(work, document, answer);
      end();
    },
    async refused(refusal) {
      const field = /^\/body\/([^/]+)/.exec(refusal.path)?.[1];
      const form = field === undefined ? undefined : type.fields[field]?.form;
      if (form?.kind === "reference") gone.add(String(resource[field as string]));
      if (field !== undefined) return drop(field, refusal.detail);
      if (refusal.code === "conflict") await state.update();
      // What it is now is told by `change`.
      if (state.of(resource.id) !== undefined) return;
      left({ line, type: type.name, id: resource.id, reason: refusal.detail });
      end();
    },
  };
}

/** New ones are last in their order, by the clock of the server's process. Several processes may disagree by some milliseconds. */
function watchOrder(
  { latest, misplaced }: Work,
  document: FileDocument,
  answer: Readonly<Record<string, unknown>> | null,
): void {
  const { type, resource } = document;
  const field = rankField(type);
  const rank = field === undefined ? undefined : answer?.[field];
  if (typeof rank !== "string") return;
  const group = groupOf(type, answer as Resource);
  const before = latest.get(group);
  if (before !== undefined && before.rank >= rank) misplaced.push({ document, after: before.id });
  latest.set(group, { id: resource.id, rank });
}

/** Parents that were made after what is below them. */
async function attach(work: Work, type: ResourceType): Promise<void> {
  const { file, place, state, gone, sending } = work;
  const reference = ownReference(type);
  if (reference === undefined) return;
  for (const document of file.documents(place, type)) {
    const { resource } = document;
    const presence = state.of(resource.id);
    const parent = resource[reference] ?? null;
    if (presence?.version !== 1 || presence.isAttached || parent === null) continue;
    if (gone.has(String(parent))) presence.isAttached = true;
    else await sending.add(step(work, document, { kind: "patch", body: { [reference]: parent } }, 0));
  }
  await sending.flush();
}

/** Sets what closes it, and deletes what is deleted. */
async function finish(work: Work, type: ResourceType): Promise<void> {
  const { file, place, sending } = work;
  const flags = closingFlags(type);
  for (const document of file.documents(place, type)) {
    const { resource, isDeleted } = document;
    const set = Object.fromEntries(flags.filter((flag) => resource[flag] === true).map((flag) => [flag, true]));
    const steps: Step[] = [];
    if (Object.keys(set).length > 0) steps.push({ kind: "patch", body: set });
    if (isDeleted) steps.push({ kind: "delete" });
    for (const [before, each] of steps.entries()) await sending.add(step(work, document, each, before));
  }
  await sending.flush();
}

async function move(work: Work): Promise<void> {
  const { misplaced, sending } = work;
  for (const { document, after } of misplaced)
    await sending.add(step(work, document, { kind: "patch", body: { position: { after } } }, undefined));
  await sending.flush();
}

type Step = Pick<Change, "kind" | "body">;

/**
 * A change of what an import has made. It is asked for where nothing else has happened to it since its creation but the `before` steps that precede this one, so
 * that what people did with it meanwhile stays; undefined: in any case.
 */
function step(work: Work, document: FileDocument, { kind, body }: Step, before: number | undefined): Item {
  const { state, left } = work;
  const { type, resource, line } = document;
  let isOver = false;
  const expected = before === undefined ? undefined : (isAttachedLater(work, document, body) ? 2 : 1) + before;
  return {
    change() {
      const presence = state.of(resource.id);
      if (isOver || presence === undefined) return undefined;
      if (expected !== undefined && presence.version > expected) return undefined;
      return {
        type: type.name,
        id: resource.id,
        kind,
        ...(expected === undefined ? {} : { expected }),
        ...(body === undefined ? {} : { body }),
      };
    },
    done() {
      const presence = state.of(resource.id);
      if (presence !== undefined) presence.version += 1;
      isOver = true;
    },
    async refused({ code, detail, path }: ItemRefusal) {
      isOver = true;
      // Somebody has changed or deleted it since.
      if (code === "version-mismatch" || code === "not-found") return;
      const presence = state.of(resource.id);
      // There is nothing to come any more before it is deleted.
      if (presence !== undefined && body?.[ownReference(type) ?? ""] !== undefined) presence.isAttached = true;
      const field = /^\/body\/([^/]+)/.exec(path)?.[1];
      left({ line, type: type.name, id: resource.id, reason: field === undefined ? detail : `${field} ${detail}` });
    },
  };
}

/** Whether a change that gives it its parent precedes. */
function isAttachedLater({ state }: Work, { type, resource: { id } }: FileDocument, body: Change["body"]): boolean {
  const reference = ownReference(type);
  return state.of(id)?.isAttached === false && reference !== undefined && body?.[reference] === undefined;
}
