/** A resource as the writer keeps it, and what it knows of a whole space. */
import type { Field, Json } from "./field.ts";

export const roles = ["viewer", "member", "admin", "owner"] as const;
/** In order of power. */
export type Role = (typeof roles)[number];

export function isAtLeast(role: Role, least: Role): boolean {
  return roles.indexOf(role) >= roles.indexOf(least);
}

export type Fields = Readonly<Record<string, Json>>;

/** One state of a resource: the fold of its changes up to the fact `seq`. */
export type Document = {
  readonly spaceId: string;
  /** Unique within the space, whatever the type. */
  readonly id: string;
  readonly type: string;
  readonly version: number;
  /** The fact that made this version. A store replaces a document only by one of a higher `seq`, or of the same `seq` and a higher version. */
  readonly seq: number;
  /** Every field of its type, hidden ones too. */
  readonly fields: Fields;
  readonly creatorId: string;
  /** RFC 3339 UTC milliseconds, as all instants that are kept. */
  readonly createdAt: string;
  readonly updatedAt: string;
  /** Set while it is deleted: who did it. */
  readonly deletedBy?: string;
  /** The `seq` of the latest change that `undo` would take back; 0: none. */
  readonly undoable: number;
};

/** A member as decisions need it: the whole roster is always at hand. */
export type Membership = {
  /** Of the member's document. */
  readonly id: string;
  readonly userId: string;
  readonly role: Role;
  /** When the membership began: the oldest one inherits. */
  readonly since: string;
};

export type Head = {
  readonly spaceId: string;
  /** Of the latest fact with a `seq`; 0 before the first. */
  readonly seq: number;
  /** The log offset of the latest command that was decided; -1 before the first. */
  readonly position: number;
  /** The latest instant of a fact: time does not run backwards within a space. */
  readonly at: string;
  readonly isDeleted: boolean;
  readonly members: readonly Membership[];
  /** Projects that are not deleted. */
  readonly projects: number;
};

/** Of two instants in kept form, which compare as their texts do. */
export function later(one: string, other: string): string {
  if (one > other) return one;
  return other;
}

/** What a field holds where a creation says nothing of it. A required field has no default and is null until it is given. */
export function defaultOf({ byDefault }: Field): Json {
  return byDefault ?? null;
}
