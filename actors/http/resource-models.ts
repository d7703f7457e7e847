/** The models of a type of resource for requests and answers, derived from its fields. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import type { Field } from "../resources/field.ts";
import { isWritable, type ResourceType } from "../resources/resource-type.ts";
import { edgeDefaults } from "./resource-defaults.ts";
import { fieldSchema } from "./resource-fields.ts";

/** The kinds of intents that have a body. */
export const bodyKinds = ["create", "replace", "patch"] as const;
export type BodyKind = (typeof bodyKinds)[number];

const uuid = t.String({ format: "uuid" });
const instant = t.String({ format: "date-time", description: "RFC 3339, answered as UTC with milliseconds" });
const pastInstant = t.String({ format: "date-time", description: "RFC 3339, not in the future" });

/** Names in bodies that are no fields, by the `inputs` of types. Those without a model are not a client's to give. */
const inputModels: Readonly<Record<string, TSchema>> = {
  position: t.Object(
    { after: t.Optional(uuid), before: t.Optional(uuid) },
    {
      additionalProperties: false,
      description: "Right after one task, right before another; both the wrong way round mean after the first",
    },
  ),
};

/** The field that a shorthand in bodies and answers stands for: `due` of `dueAt`. */
export function shorthands(type: ResourceType): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(type.served ?? {})
      .filter(([name]) => type.fields[name]?.form.kind === "due")
      .map(([name, { name: shorthand }]) => [shorthand, name]),
  );
}

export function writableFields(type: ResourceType, kind: BodyKind): [string, Field][] {
  return Object.entries(type.fields).filter(([, field]) => isWritable(field, kind === "create" ? "create" : "change"));
}

export function inputNames(type: ResourceType): string[] {
  return (type.inputs ?? []).filter((name) => inputModels[name] !== undefined);
}

/** Instants of the past that an import may give. */
export function importedInstants(type: ResourceType, kind: BodyKind): string[] {
  const { completedAt } = type.fields;
  const completed = completedAt?.form.kind === "instant" && completedAt.setBy === "writer" ? ["completedAt"] : [];
  return kind === "create" ? ["createdAt", ...completed] : completed;
}

export function bodyModel(type: ResourceType, kind: BodyKind, { isImport }: { isImport: boolean }): TSchema {
  const fields = writableFields(type, kind).map(([name, field]): [string, TSchema] => {
    const schema = fieldSchema(field, kind === "patch" ? "patch" : "whole");
    return [name, isRequired(type, kind, name, field) ? schema : t.Optional(schema)];
  });
  const short = [...shorthands(type)]
    .filter(([, name]) => fields.some(([each]) => each === name))
    .map(([shorthand, name]): [string, TSchema] => {
      const description = `An instant, as shorthand for \`${name}\` in UTC; not with it`;
      return [shorthand, t.Optional(t.Union([t.String({ format: "date-time" }), t.Null()], { description }))];
    });
  const inputs = inputNames(type).map((name): [string, TSchema] => [name, t.Optional(inputModels[name] as TSchema)]);
  const imported = isImport ? importedInstants(type, kind) : [];
  const ofImport = imported.map((name): [string, TSchema] => [
    name,
    t.Optional(name === "completedAt" ? t.Union([pastInstant, t.Null()]) : pastInstant),
  ]);
  return t.Object(Object.fromEntries([...fields, ...short, ...inputs, ...ofImport]), {
    $id: modelName(type, kind, isImport),
    additionalProperties: false,
  });
}

function isRequired(type: ResourceType, kind: BodyKind, name: string, { byDefault }: Field): boolean {
  return kind !== "patch" && byDefault === undefined && edgeDefaults(type)[name] === undefined;
}

/** A resource as answers have it: the keys and their order are those of `resourceOf`. */
export function servedModel(type: ResourceType): TSchema {
  const fields = Object.entries(type.fields).flatMap(([name, field]): [string, TSchema][] => {
    if (field.setBy === "hidden") return [];
    const more = type.served?.[name]?.name;
    const own: [string, TSchema] = [name, fieldSchema(field, "served")];
    return more === undefined ? [own] : [own, [more, t.Union([instant, t.Null()])]];
  });
  return t.Object(
    {
      id: uuid,
      spaceId: uuid,
      ...Object.fromEntries(fields),
      creatorId: uuid,
      version: t.Integer({ minimum: 1 }),
      createdAt: instant,
      updatedAt: instant,
    },
    { $id: capital(type.name), additionalProperties: false },
  );
}

function modelName(type: ResourceType, kind: BodyKind, isImport: boolean): string {
  const name = capital(type.name);
  const ofKind = { create: `New${name}`, replace: `${name}Replacement`, patch: `${name}Patch` }[kind];
  return isImport ? `Imported${ofKind}` : ofKind;
}

function capital(name: string): string {
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}
