/**
 * What a command does to its space: a pure function of the space and the command, so that it is decided again after a crash with the same result. It reads
 * documents by id, and the ids of those that refer to one, knows no clock but the command's, and no time zones.
 *
 * The order of refusals: the space (404), role (403), the resource (404), version (428, 412), state (409), references (422).
 */
import type { Command, Intent } from "./command.ts";
import { type Document, type Head, isAtLeast, later, type Role } from "./document.ts";
import { Draft, hasNeeds, type Needs, Refused, Unread, type View } from "./draft.ts";
import type { Change, Fact, Refusal } from "./fact.ts";
import { isPersonal, unmadeHead } from "./head.ts";
import { accept, createSpace, leave } from "./joining.ts";
import { patchedFields, wholeFields } from "./merge.ts";
import { deadReference } from "./references.ts";
import { type Registry, typeNamed } from "./registry.ts";
import { permissionOf, type ResourceType } from "./resource-type.ts";
import { undoOperation, undoResource } from "./undo.ts";

export type Decision =
  | { readonly verdict: "needs"; readonly needs: Needs }
  | { readonly verdict: "rejected"; readonly refusal: Refusal }
  | {
      /** `unchanged`: nothing was to be changed; there are no changes. */
      readonly verdict: "applied" | "unchanged";
      readonly changes: readonly Change[];
      /** Each changed resource as the operation leaves it. */
      readonly documents: readonly Document[];
      readonly head: Head;
      /** Ids of the resources that the answer is made of: of a change one for each intent. */
      readonly answers: readonly string[];
    };

export function decide(registry: Registry, view: View, command: Command): Decision {
  const head = view.head ?? (isMaking(command) ? unmadeHead(command.spaceId) : undefined);
  if (head === undefined) return { verdict: "rejected", refusal: { code: "not-found", change: 0 } };
  const draft = new Draft(view, head, command);
  try {
    const answers = answersOf(registry, draft, command);
    if (hasNeeds(draft.needs)) return { verdict: "needs", needs: draft.needs };
    draft.settle();
    return {
      verdict: draft.changes.length === 0 ? "unchanged" : "applied",
      changes: draft.changes,
      documents: draft.documents(),
      head: draft.head,
      answers,
    };
  } catch (thrown) {
    // A refusal counts only once all that it might depend on has been read.
    if (thrown instanceof Unread || (thrown instanceof Refused && hasNeeds(draft.needs)))
      return { verdict: "needs", needs: draft.needs };
    if (thrown instanceof Refused) return { verdict: "rejected", refusal: thrown.refusal };
    throw thrown;
  }
}

/** The record of what was decided. */
export function factOf(
  command: Command,
  position: number,
  head: Head,
  decision: Exclude<Decision, { verdict: "needs" }>,
): Fact {
  const { spaceId, operationId, fingerprint, keyed, userId: actorId } = command;
  const at = later(command.at, head.at);
  const common = { spaceId, operationId, fingerprint, keyed, position, at, actorId };
  if (decision.verdict === "rejected") {
    const isBatch = command.kind === "change" ? command.isBatch : undefined;
    const refusal = { ...decision.refusal, ...(isBatch === undefined ? {} : { isBatch }) };
    return { ...common, verdict: "rejected", refusal, changes: [], answers: [] };
  }
  const { verdict, changes, answers } = decision;
  const seq = verdict === "applied" ? { seq: head.seq + 1 } : { seenSeq: head.seq };
  return { ...common, verdict, ...seq, changes, answers };
}

/** Ids that a command names: they are read before it is decided, all at once. What else is needed comes to light as it is decided. */
export function namedIds(registry: Registry, command: Command): string[] {
  if (command.kind !== "change") return [];
  return command.intents.flatMap(({ type, id, body }) => {
    const fields = registry.get(type)?.fields ?? {};
    const references = Object.entries(fields).map(([name, { form }]) =>
      form.kind === "reference" ? body[name] : null,
    );
    const neighbours = Object.values((body.position ?? {}) as Record<string, string>);
    return [id, ...references, ...neighbours].filter((each) => typeof each === "string");
  });
}

function isMaking(command: Command): boolean {
  if (command.kind !== "change" || isPersonal(command.spaceId, command.userId)) return false;
  const [intent] = command.intents;
  return intent?.type === "space" && intent.kind === "create" && intent.id === command.spaceId;
}

function answersOf(registry: Registry, draft: Draft, command: Command): string[] {
  switch (command.kind) {
    case "change":
      return changing(registry, draft, command.intents);
    case "undo":
      return undoOperation(registry, draft, command.undoes, roleIn(draft));
    case "leave":
      leave(registry, draft);
      return [];
  }
}

/** Each intent in its order. One whose documents have not been read lets the others say what they need. */
function changing(registry: Registry, draft: Draft, intents: readonly Intent[]): string[] {
  const answers: string[] = [];
  for (const [place, intent] of intents.entries()) {
    draft.place = place;
    draft.intentKind = intent.kind;
    try {
      answers.push(change(registry, draft, intent));
    } catch (thrown) {
      if (thrown instanceof Unread || (thrown instanceof Refused && hasNeeds(draft.needs))) continue;
      throw thrown;
    }
  }
  return answers;
}

/** The id of the resource that the intent is answered with. */
function change(registry: Registry, draft: Draft, intent: Intent): string {
  const type = typeNamed(registry, intent.type);
  if (intent.kind === "accept") return accept(registry, draft, intent);
  if (intent.type === "space" && intent.kind === "create") return createSpace(registry, draft, intent);
  const role = roleIn(draft, intent);
  const permission = permissionOf(type, intent.kind);
  if (!isAtLeast(role, permission.least)) draft.refuse("forbidden");
  const before = intent.kind === "create" ? undefined : found(draft, type, intent);
  const document = before ?? untaken(draft, type, intent);
  const attempt = { userId: draft.command.userId, role, document, intent };
  if (permission.and !== undefined && !permission.and(attempt)) draft.refuse("forbidden");
  if (before !== undefined) checkVersion(draft, type, before, intent);
  if (intent.kind === "undo") undoResource(type, draft, document);
  else if (intent.kind === "delete" || intent.kind === "restore") endOrBringBack(type, draft, document, intent.kind);
  else setFields(type, draft, before, intent);
  return intent.id;
}

/** Throws `not-found` for everybody who must not know of the space. */
function roleIn(draft: Draft, intent?: Intent): Role {
  const { head, command } = draft;
  const role = head.members.find(({ userId }) => userId === command.userId)?.role;
  if (role === undefined) draft.refuse("not-found");
  // A deleted space is seen by its owners alone, to be restored.
  const isRestored = intent?.type === "space" && intent.kind === "restore";
  if (head.isDeleted && !(role === "owner" && isRestored)) draft.refuse("not-found");
  return role;
}

function found(draft: Draft, type: ResourceType, { id, kind }: Intent): Document {
  const document = draft.document(id);
  const isSeen =
    document?.type === type.name && (document.deletedBy === undefined || kind === "restore" || kind === "undo");
  return document !== undefined && isSeen ? document : draft.refuse("not-found");
}

/** What stands for a document that is not there yet, where its creation asks who may. */
function untaken(draft: Draft, type: ResourceType, { id, onTaken = "conflict" }: Intent): Document {
  if (draft.document(id) !== undefined) draft.refuse(onTaken);
  const { head, at, command } = draft;
  return {
    spaceId: head.spaceId,
    id,
    type: type.name,
    version: 0,
    seq: 0,
    fields: {},
    creatorId: command.userId,
    createdAt: at,
    updatedAt: at,
    undoable: 0,
  };
}

function checkVersion(draft: Draft, type: ResourceType, { version }: Document, { kind, expected, body }: Intent): void {
  // Nobody's column goes by an old list: a patch of columns names the version that it was made from.
  const isGuarded = kind === "patch" && Object.keys(body).some((name) => type.fields[name]?.form.kind === "columns");
  if (isGuarded && expected === undefined) draft.refuse("precondition-required");
  if (expected !== undefined && expected !== "*" && !expected.includes(version)) draft.refuse("version-mismatch");
}

function setFields(type: ResourceType, draft: Draft, before: Document | undefined, { id, kind, body }: Intent): void {
  const fields =
    before === undefined || kind === "replace"
      ? wholeFields(type, body, before?.fields)
      : patchedFields(draft, type, before.fields, body);
  type.guard?.(draft, before, fields);
  const dead = deadReference(draft, type, before, fields, body);
  if (dead !== undefined) draft.refuse("invalid-reference", dead);
  const isNew = before === undefined;
  type.derive?.({
    draft,
    id,
    before,
    fields,
    body,
    kind: isNew ? "create" : "change",
    isReplacement: kind === "replace",
  });
  draft.make(type, {
    id,
    before,
    fields,
    kind: isNew ? "created" : "changed",
    ...(isNew ? creation(draft, body) : {}),
  });
}

/** The instants of a creation where they are not the fact's: those of an import, or of an edge that has answered already. */
function creation(draft: Draft, { createdAt }: Intent["body"]): { createdAt?: string; updatedAt?: string } {
  if (draft.isImport && typeof createdAt === "string") return { createdAt };
  return draft.askedAt === draft.at ? {} : { createdAt: draft.askedAt, updatedAt: draft.askedAt };
}

function endOrBringBack(type: ResourceType, draft: Draft, document: Document, kind: "delete" | "restore"): void {
  const isDeleted = document.deletedBy !== undefined;
  if (kind === "restore" && !isDeleted) draft.refuse("conflict", { message: "It is not deleted." });
  const { id, fields } = document;
  type.guard?.(draft, kind === "restore" ? undefined : document, fields);
  const past = kind === "delete" ? ("deleted" as const) : ("restored" as const);
  draft.make(type, { id, before: document, fields, kind: past, deleted: kind === "delete" });
}
