/** Members: who sees a space, and what each may do there. */
import { isAtLeast, type Membership, type Role, roles } from "./document.ts";
import type { Draft } from "./draft.ts";
import { choice, text } from "./field.ts";
import type { Attempt, ResourceType } from "./resource-type.ts";

const membersMax = 500;

export const member: ResourceType = {
  name: "member",
  plural: "members",
  fields: {
    userId: text({ max: 36 }, { setBy: "writer" }),
    role: choice(roles, { ranked: true }),
  },
  may: {
    // A personal space has its one owner, for ever. Nobody acts on somebody above them, or gives a role above their own.
    patch: {
      least: "viewer",
      and: (attempt) =>
        isShared(attempt) &&
        isAtLeast(attempt.role, roleOf(attempt)) &&
        isAtLeast(attempt.role, attempt.intent.body.role as Role) &&
        (isAtLeast(attempt.role, "admin") || isSelf(attempt)),
    },
    delete: {
      least: "viewer",
      and: (attempt) =>
        isShared(attempt) &&
        (isSelf(attempt) || (isAtLeast(attempt.role, "admin") && isAtLeast(attempt.role, roleOf(attempt)))),
    },
  },
  guard(draft, before, fields) {
    if (before === undefined) {
      if (draft.head.members.length >= membersMax)
        draft.refuse("limit-reached", { message: `A space has at most ${membersMax} members.` });
      return;
    }
    const isOwner = fields.role === "owner" && draft.intentKind !== "delete";
    if (before.fields.role === "owner" && !isOwner && otherOwners(draft, before.id).length === 0)
      draft.refuse("last-owner");
  },
};

const roleOf = ({ document }: Attempt) => document.fields.role as Role;
const isSelf = ({ document, userId }: Attempt) => document.fields.userId === userId;
const isShared = ({ document }: Attempt) => document.spaceId !== document.fields.userId;

function otherOwners(draft: Draft, id: string): Membership[] {
  return draft.head.members.filter((each) => each.id !== id && each.role === "owner");
}

/** Who becomes owner where the last one goes: the oldest admin, else the oldest member. */
export function successor(members: readonly Membership[]): Membership | undefined {
  const oldestFirst = members.toSorted((a, b) =>
    a.since === b.since ? (a.id < b.id ? -1 : 1) : a.since < b.since ? -1 : 1,
  );
  return oldestFirst.find(({ role }) => role === "admin") ?? oldestFirst[0];
}
