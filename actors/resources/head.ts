/** The head of a space: what of all its facts is at hand for every decision. */
import { v5 as uuidv5 } from "uuid";
import { type Document, type Head, later, type Membership, type Role } from "./document.ts";
import type { Change, Fact } from "./fact.ts";

/** A space is personal where its id is its user's: no fact has to make it. */
export function isPersonal(spaceId: string, userId: string): boolean {
  return spaceId === userId;
}

/** Ids of personal spaces' members, which follow from their users' and are asked for with every command. */
const memberIds = new Map<string, string>();
const memberIdsMax = 10_000;

/** Of the one member of a personal space. */
export function memberIdOf(userId: string): string {
  let id = memberIds.get(userId);
  if (id === undefined) {
    id = uuidv5("member", userId);
    if (memberIds.size >= memberIdsMax) memberIds.clear();
    memberIds.set(userId, id);
  }
  return id;
}

/** What is known of a personal space before its first fact. */
export function personalHead(userId: string): Head {
  const since = createdAtOf(userId);
  const owner: Membership = { id: memberIdOf(userId), userId, role: "owner", since };
  return { spaceId: userId, seq: 0, position: -1, at: since, isDeleted: false, members: [owner], projects: 0 };
}

/** A shared space before the fact that makes it. */
export function unmadeHead(spaceId: string): Head {
  return { spaceId, seq: 0, position: -1, at: "", isDeleted: false, members: [], projects: 0 };
}

/** Ids of shared spaces are of this UUID version and those of users are not: no space can take somebody's personal one. */
const sharedVersion = "5";

/** The documents that a personal space has without any fact: itself and its one member. A shared space has none. */
export function personalDocument(userId: string, id: string): Document | undefined {
  if (userId[14] === sharedVersion) return undefined;
  const member = memberIdOf(userId);
  if (id !== userId && id !== member) return undefined;
  const at = createdAtOf(userId);
  return {
    spaceId: userId,
    id,
    type: id === member ? "member" : "space",
    version: 1,
    seq: 0,
    fields: id === member ? { userId, role: "owner" } : { name: "Personal" },
    creatorId: userId,
    createdAt: at,
    updatedAt: at,
    undoable: 0,
  };
}

/** The head after a fact that follows it. */
export function headAfter(head: Head, fact: Pick<Fact, "seq" | "position" | "at" | "actorId" | "changes">): Head {
  return {
    ...fact.changes.reduce((before, change) => headAfterChange(before, change, fact), head),
    seq: fact.seq ?? head.seq,
    position: fact.position,
    at: later(fact.at, head.at),
  };
}

export function headAfterChange(head: Head, change: Change, fact: Pick<Fact, "at">): Head {
  switch (change.type) {
    case "member":
      return { ...head, members: membersAfter(head.members, change, fact.at) };
    case "space":
      return change.deleted === undefined ? head : { ...head, isDeleted: change.deleted };
    case "project":
      return { ...head, projects: head.projects + (change.kind === "created" ? 1 : difference(change.deleted)) };
    default:
      return head;
  }
}

function membersAfter(members: readonly Membership[], { id, deleted, fields }: Change, at: string): Membership[] {
  const others = members.filter((member) => member.id !== id);
  if (deleted === true) return others;
  const before = members.find((member) => member.id === id);
  return [
    ...others,
    {
      id,
      userId: before?.userId ?? (fields.userId?.to as string),
      role: (fields.role?.to as Role | undefined) ?? before?.role ?? "viewer",
      since: before?.since ?? at,
    },
  ];
}

function difference(deleted: boolean | undefined): number {
  return deleted === undefined ? 0 : deleted ? -1 : 1;
}

/** Of a UUIDv7 the instant in it (RFC 9562 §5.7); of another id the beginning of time. */
function createdAtOf(id: string): string {
  const ms = id[14] === "7" ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : 0;
  return new Date(ms).toISOString();
}
