/** What a type of resource is: its fields, who may do what, and its rules. Everything else of a type is derived from this. */
import type { Intent, IntentKind } from "./command.ts";
import type { Document, Fields, Role } from "./document.ts";
import type { Draft } from "./draft.ts";
import type { Field, Json } from "./field.ts";
import type { Filters, Hiding } from "./filter.ts";

/** Who may do it: whoever has at least this role, and where there is more to it, only those for whom `and` holds (else `forbidden`). */
export type Permission = { readonly least: Role; readonly and?: (attempt: Attempt) => boolean };

export type Attempt = {
  readonly userId: string;
  readonly role: Role;
  readonly document: Document;
  readonly intent: Intent;
};

/** One new version being made. Rules write to `fields` and end it with `refuse`. */
export type Making = {
  readonly draft: Draft;
  readonly kind: "create" | "change";
  readonly id: string;
  readonly before: Document | undefined;
  readonly fields: Record<string, Json>;
  /** What the request named, in kept form; nothing for an undo. */
  readonly body: Fields;
  readonly isReplacement: boolean;
};

export type ResourceType = {
  readonly name: string;
  /** In addresses. */
  readonly plural: string;
  /** In the order in which they are served. */
  readonly fields: Readonly<Record<string, Field>>;
  /** What a space is made of: batches change it, and the undo of a whole operation takes it back. */
  readonly isContent?: true;
  /** Snapshots of a space leave it out: there may be very many, and they are read by what they belong to. */
  readonly isReadApart?: true;
  /** Who reads its resources, and what they hold in the feed: those who have at least this role; every member unless told. */
  readonly seenBy?: Role;
  /** Names in bodies that are no fields but tell the rules something. */
  readonly inputs?: readonly string[];
  /** Kinds that are not here do not exist for this type. */
  readonly may: Readonly<Partial<Record<IntentKind, Permission>>>;
  /** What stands in the way, whatever the values: throws with `draft.refuse`. Runs before references are checked. */
  readonly guard?: (draft: Draft, before: Document | undefined, fields: Fields) => void;
  /** The rules that make fields from others, once references hold. */
  readonly derive?: (making: Making) => void;
  /** What lists can be asked for; none unless told. */
  readonly filters?: Filters;
  /** Of lists that do not say; `-createdAt` unless told. */
  readonly defaultSort?: string;
  /** At most two. */
  readonly hidings?: readonly Hiding[];
  /** A field that readers see with another value than is stored, depending on what the field `by` refers to. */
  readonly shown?: {
    readonly field: string;
    readonly by: string;
    /** What of the other resource it depends on, as a text. */
    readonly dependsOn: (other: Fields) => string;
    readonly of: (fields: Fields, other: Fields) => Json;
  };
  /** Values made for readers only, each served after the field of the same key. */
  readonly served?: Readonly<Record<string, { readonly name: string; readonly of: (fields: Fields) => Json }>>;
};

/** Whether this member may try it at all; `and` is asked for once the resource is known to exist. */
export function permissionOf(type: ResourceType, kind: IntentKind): Permission {
  const permission = type.may[kind];
  if (permission === undefined) throw new Error(`Cannot ${kind} a ${type.name}: its type has no such change`);
  return permission;
}

/** Fields that a request may name. */
export function isWritable({ setBy }: Field, kind: "create" | "change"): boolean {
  return setBy === "client" || (setBy === "once" && kind === "create");
}
