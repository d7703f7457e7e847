/** What an import asks the server for: one resource of the file as changes of a batch. All of it follows from the type's file. */
import { importedInstants, writableFields } from "../../http/resource-models.ts";
import type { Field, Json } from "../../resources/field.ts";
import { resourceTypes } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import type { Resource } from "./moving-file.ts";

export type Change = {
  readonly type: string;
  readonly id: string;
  readonly kind: "create" | "patch" | "delete";
  readonly expected?: number;
  readonly body?: Readonly<Record<string, Json>>;
};

/** What is known of the space that is imported into. */
export type Target = {
  /** The user there who is meant by a user of the file. */
  userOf(userId: string): string;
  isMember(userId: string): boolean;
};

/** A part of a resource that is not taken, and why. */
export type Left = { readonly field: string; readonly reason: string };

/** A field that refers to a resource of its own type. */
export function ownReference({ name, fields }: ResourceType): string | undefined {
  return Object.entries(fields).find(([, { form }]) => form.kind === "reference" && form.to === name)?.[0];
}

/** The field by whose place resources of a type are ordered. */
export function rankField({ fields }: ResourceType): string | undefined {
  return fields.rank?.setBy === "writer" ? "rank" : undefined;
}

/** Flags of a type that close it to changes of what refers to it: they are set when all else is done. */
export function closingFlags({ name }: ResourceType): string[] {
  return resourceTypes.flatMap(({ hidings = [], fields }) =>
    hidings.flatMap(({ field, flag }) => {
      const form = fields[field]?.form;
      return flag !== undefined && form?.kind === "reference" && form.to === name ? [flag] : [];
    }),
  );
}

export type CreationInput = {
  readonly type: ResourceType;
  readonly resource: Resource;
  readonly target: Target;
  /** Fields that the server has refused, or that come later. */
  readonly without: ReadonlySet<string>;
};

/** The creation, and what of the resource cannot be in it. */
export function creationOf({ type, resource, target, without }: CreationInput): { change: Change; left: Left[] } {
  const left: Left[] = [];
  const body: Record<string, Json> = {};
  const later = new Set([...without, ...closingFlags(type)]);
  for (const [name, field] of writableFields(type, "create")) {
    const value = resource[name];
    if (value === undefined || value === null || later.has(name)) continue;
    if (field.form.kind !== "members") {
      body[name] = value;
      continue;
    }
    const users = (value as readonly string[]).map(target.userOf);
    const members = users.filter(target.isMember);
    if (members.length < users.length) left.push({ field: name, reason: notMembers(users.length - members.length) });
    body[name] = [...new Set(members)];
  }
  for (const name of importedInstants(type, "create")) {
    const value = resource[name];
    if (typeof value === "string" && !without.has(name)) body[name] = value;
  }
  return {
    change: { type: type.name, id: resource.id, kind: "create", body },
    left: [...left, ...unknownFields(type, resource)],
  };
}

/** Whether a creation can do without it. */
export function isNeeded(type: ResourceType, name: string): boolean {
  const field: Field | undefined = type.fields[name];
  return field !== undefined && field.byDefault === undefined && field.form.kind !== "columns";
}

function notMembers(count: number): string {
  return count === 1 ? "one person is no member of the space" : `${count} people are no members of the space`;
}

/** Of a file that a newer program made. */
function unknownFields({ fields, served = {} }: ResourceType, resource: Resource): Left[] {
  const known = [
    ...["id", "spaceId", "creatorId", "version", "createdAt", "updatedAt"],
    ...Object.keys(fields),
    ...Object.values(served).map(({ name }) => name),
  ];
  return Object.keys(resource)
    .filter((name) => !known.includes(name))
    .map((field) => ({ field, reason: "this program does not know it" }));
}
