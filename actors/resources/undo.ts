/** Taking back: the latest change of one resource, or all that one operation did. */

import type { IntentKind } from "./command.ts";
import { type Document, type Fields, isAtLeast, type Role } from "./document.ts";
import type { Draft } from "./draft.ts";
import type { Change } from "./fact.ts";
import { isSame, type Json } from "./field.ts";
import { deadReference } from "./references.ts";
import type { Registry } from "./registry.ts";
import type { ResourceType } from "./resource-type.ts";
import { isRankAsLeft } from "./spacing.ts";
import { parentFault } from "./task.ts";

/** How many changes one undo passes by at most. */
const lookedBackMax = 20;

/** The latest change not yet undone, as a new version. Throws `conflict` where there is none, or where what it refers to has gone. */
export function undoResource(type: ResourceType, draft: Draft, document: Document): void {
  for (let seq = document.undoable, looked = 1; seq !== 0; looked++) {
    const changes = (draft.fact(seq)?.changes ?? []).filter(
      ({ id, undoableBefore }) => id === document.id && undoableBefore !== undefined,
    );
    const [first] = changes;
    if (first?.undoableBefore === undefined)
      throw new Error(`Cannot undo: the fact ${seq} has no change of this document alone`);
    // Of one that an undo of its operation has taken back already, nothing is left.
    const change =
      changes.findLast((each) => isInEffect(each, document)) ?? (looked >= lookedBackMax ? first : undefined);
    if (change !== undefined) {
      const undoableBefore = change === first ? first.undoableBefore : seq;
      putBack(
        type,
        draft,
        document,
        { fields: before(change.fields), deleted: inverse(change.deleted) },
        undoableBefore,
      );
      return;
    }
    seq = first.undoableBefore;
  }
  draft.refuse("conflict", { message: "There is nothing to undo." });
}

/** Whether taking it back would change anything. */
function isInEffect({ fields, deleted }: Change, document: Document): boolean {
  const isDeleted = document.deletedBy !== undefined;
  return (
    (deleted !== undefined && deleted === isDeleted) ||
    Object.entries(fields).some(([name, { from }]) => !isSame(document.fields[name], from))
  );
}

/** What a whole operation did to one resource. */
type Net = {
  readonly type: string;
  readonly id: string;
  readonly isCreated: boolean;
  readonly deleted: boolean | undefined;
  readonly from: Readonly<Record<string, Json>>;
  readonly to: Readonly<Record<string, Json>>;
  readonly undoableBefore: number | undefined;
};

/** Ids of the resources that are put back. Throws `conflict` with the ids of those that have changed since. */
export function undoOperation(registry: Registry, draft: Draft, operationId: string, role: Role): string[] {
  // Who may change nothing at all hears that, and not whether there is such an operation.
  if (!isAtLeast(role, "member")) draft.refuse("forbidden");
  const fact = draft.operation(operationId);
  if (fact === undefined || fact.verdict === "rejected") return draft.refuse("not-found");
  const nets = netOf(fact.changes.filter(({ isSpacing }) => isSpacing !== true));
  if (nets.length === 0) draft.refuse("conflict", { message: "The operation changed nothing." });
  if (nets.some(({ type }) => registry.get(type)?.isContent !== true))
    draft.refuse("conflict", { message: "Changes of members, invitations and spaces cannot be undone." });
  const found = nets.map((net) => ({ net, document: draft.document(net.id) }));
  for (const { net, document } of found) checkPermission(registry, draft, net, document, role);
  const changed = found.filter(({ net, document }) => document === undefined || !isAsLeft(draft, net, document));
  if (changed.length > 0)
    draft.refuse("conflict", {
      message: "What it changed has been changed since.",
      ids: changed.map(({ net }) => net.id),
    });
  // The last first, so that what was made together is taken apart in the opposite order.
  for (const { net, document } of found.toReversed()) {
    const type = registry.get(net.type);
    if (type === undefined || document === undefined) continue;
    const deleted = net.isCreated ? true : inverse(net.deleted);
    const isLatest = nets.length === 1 && document.undoable === fact.seq ? net.undoableBefore : undefined;
    putBack(type, draft, document, { fields: net.isCreated ? {} : net.from, deleted }, isLatest);
  }
  return nets.map(({ id }) => id);
}

function netOf(changes: readonly Change[]): Net[] {
  const nets = new Map<string, Net>();
  for (const { type, id, kind, fields, deleted, undoableBefore } of changes) {
    const earlier = nets.get(id);
    nets.set(id, {
      type,
      id,
      isCreated: earlier?.isCreated ?? kind === "created",
      deleted: deleted ?? earlier?.deleted,
      from: { ...before(fields), ...earlier?.from },
      to: { ...earlier?.to, ...Object.fromEntries(Object.entries(fields).map(([name, { to }]) => [name, to])) },
      undoableBefore,
    });
  }
  return [...nets.values()];
}

function isAsLeft(draft: Draft, { to, deleted, isCreated }: Net, document: Document): boolean {
  const isDeleted = document.deletedBy !== undefined;
  // A creation leaves every field, those as well that it does not name since they are null.
  const isNamed = ([name, value]: [string, Json]) => Object.hasOwn(to, name) || value === null;
  return (
    isDeleted === (deleted ?? false) &&
    (!isCreated || Object.entries(document.fields).every(isNamed)) &&
    Object.entries(to).every(
      ([name, value]) =>
        isSame(document.fields[name], value) || (name === "rank" && isRankAsLeft(draft, document, value)),
    )
  );
}

/** Whoever takes it back must be allowed to make the inverse change. */
function checkPermission(registry: Registry, draft: Draft, net: Net, document: Document | undefined, role: Role): void {
  const kind: IntentKind = net.isCreated
    ? "delete"
    : net.deleted === undefined
      ? "patch"
      : net.deleted
        ? "restore"
        : "delete";
  const permission = registry.get(net.type)?.may[kind];
  const { userId } = draft.command;
  const intent = { type: net.type, id: net.id, kind, body: net.from };
  if (permission === undefined || !isAtLeast(role, permission.least)) draft.refuse("forbidden");
  if (document !== undefined && permission.and?.({ userId, role, document, intent }) === false)
    draft.refuse("forbidden");
}

type Earlier = { readonly fields: Readonly<Record<string, Json>>; readonly deleted: boolean | undefined };

function putBack(
  type: ResourceType,
  draft: Draft,
  document: Document,
  earlier: Earlier,
  undoableBefore: number | undefined,
): void {
  const fields: Fields = { ...document.fields, ...earlier.fields };
  type.guard?.(draft, earlier.deleted === false ? undefined : document, fields);
  const isGone =
    earlier.deleted !== true &&
    (deadReference(draft, type, document, fields) !== undefined ||
      (typeof fields.parentId === "string" &&
        fields.parentId !== document.fields.parentId &&
        parentFault(draft, document.id, fields.parentId) !== undefined));
  if (isGone)
    draft.refuse("conflict", {
      message: "What it would refer to again has gone, or is now too deep or below it.",
      ids: [document.id],
    });
  draft.make(type, {
    id: document.id,
    before: document,
    fields,
    kind: "undone",
    ...(earlier.deleted === undefined ? {} : { deleted: earlier.deleted }),
    ...(undoableBefore === undefined ? {} : { undoableBefore }),
  });
}

function before(fields: Change["fields"]): Record<string, Json> {
  return Object.fromEntries(Object.entries(fields).map(([name, { from }]) => [name, from]));
}

function inverse(deleted: boolean | undefined): boolean | undefined {
  return deleted === undefined ? undefined : !deleted;
}
