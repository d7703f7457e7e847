/** How a shared space begins, and how people come into it and leave it. */
import { v5 as uuidv5 } from "uuid";
import type { Intent } from "./command.ts";
import type { Role } from "./document.ts";
import type { Draft } from "./draft.ts";
import { isTokenOf, isUsable } from "./invitation.ts";
import { successor } from "./member.ts";
import { type Registry, typeNamed } from "./registry.ts";

/** Whoever makes a space is its first owner. */
export function createSpace(registry: Registry, draft: Draft, { id, body, onTaken = "conflict" }: Intent): string {
  const { head } = draft;
  if (draft.isPersonal || head.seq > 0 || id !== head.spaceId) draft.refuse(onTaken);
  draft.make(typeNamed(registry, "space"), {
    id,
    before: undefined,
    fields: { name: body.name ?? null },
    kind: "created",
  });
  join(registry, draft, "owner");
  return id;
}

/** Anybody who has the secret; a member is answered with the membership that is there. */
export function accept(registry: Registry, draft: Draft, { id, body }: Intent): string {
  const { head, command } = draft;
  const invitation = draft.document(id);
  if (head.isDeleted || invitation?.type !== "invitation" || !isTokenOf(invitation, body.tokenHash))
    return draft.refuse("not-found");
  const known = head.members.find(({ userId }) => userId === command.userId);
  if (known !== undefined) return known.id;
  if (!isUsable(invitation, body.tokenHash, draft)) draft.refuse("not-found");
  const { fields } = invitation;
  const uses = (fields.uses as number) + 1;
  const memberId = join(registry, draft, fields.role as Role);
  draft.make(typeNamed(registry, "invitation"), {
    id,
    before: invitation,
    fields: { ...fields, uses },
    kind: "changed",
  });
  return memberId;
}

/** A member who comes again is a new one: the id is made of the operation. */
function join(registry: Registry, draft: Draft, role: Role): string {
  const type = typeNamed(registry, "member");
  const { userId, operationId } = draft.command;
  const id = uuidv5("member", operationId);
  const fields = { userId, role };
  type.guard?.(draft, undefined, fields);
  draft.make(type, { id, before: undefined, fields, kind: "created" });
  return id;
}

/** An erased user's membership ends, with its succession in the same operation. A user who is no member changes nothing. */
export function leave(registry: Registry, draft: Draft): void {
  const type = typeNamed(registry, "member");
  const own = draft.head.members.find(({ userId }) => userId === draft.command.userId);
  if (own === undefined) return;
  const others = draft.head.members.filter(({ id }) => id !== own.id);
  const heir = others.some(({ role }) => role === "owner") ? undefined : successor(others);
  if (heir !== undefined) {
    const before = draft.document(heir.id);
    if (before === undefined) throw new Error("Cannot name a successor: the roster has a member without a document");
    draft.make(type, { id: heir.id, before, fields: { ...before.fields, role: "owner" }, kind: "changed" });
  }
  const before = draft.document(own.id);
  if (before === undefined) throw new Error("Cannot end a membership: the roster has a member without a document");
  draft.make(type, { id: own.id, before, fields: before.fields, kind: "deleted", deleted: true });
}
