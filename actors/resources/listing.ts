/** What of a type its lists need: the values by which they are sorted and filtered, and what keeps a resource out of them. Both stores derive their columns from it. */
import type { Document, Fields } from "./document.ts";
import { type Due, instantOfDue } from "./due.ts";
import { type Field, isSet, type Json } from "./field.ts";
import type { Hiding } from "./filter.ts";
import type { Registry } from "./registry.ts";
import type { ResourceType } from "./resource-type.ts";
import { shownFields, shownValue } from "./served.ts";
import { sortForm, wordsOf } from "./words.ts";

/** Fields with one value by which lists are sorted or filtered, or by which resources are found that depend on another. */
export function listFields(type: ResourceType): [string, Field][] {
  const needed = new Set<string>();
  for (const filter of Object.values(type.filters ?? {}))
    if (filter.kind !== "ids" && filter.kind !== "words") needed.add(filter.field);
  for (const { field } of type.hidings ?? []) needed.add(field);
  if (type.shown !== undefined) needed.add(type.shown.by);
  return Object.entries(type.fields).filter(
    ([name, field]) => field.setBy !== "hidden" && !isSet(field) && (field.sortable === true || needed.has(name)),
  );
}

/** Sets by whose items lists are filtered; `orNone`: also for those that have none. */
export function setFields(
  type: ResourceType,
): { readonly name: string; readonly field: Field; readonly orNone: boolean }[] {
  const filters = Object.values(type.filters ?? {});
  return Object.entries(type.fields).flatMap(([name, field]) => {
    const own = filters.filter((filter) => (filter.kind === "any" || filter.kind === "all") && filter.field === name);
    if (!isSet(field) || own.length === 0) return [];
    return [{ name, field, orNone: own.some((filter) => filter.kind === "any" && filter.orNone === true) }];
  });
}

/** Fields in whose words lists are searched. */
export function wordFields(type: ResourceType): readonly string[] {
  return Object.values(type.filters ?? {}).flatMap((filter) => (filter.kind === "words" ? filter.fields : []));
}

export function wordsIn(names: readonly string[], fields: Fields): string[] {
  return wordsOf(names.map((name) => `${fields[name] ?? ""}`));
}

/** The value by which a list is sorted or filtered; of null, null. */
export function listValue({ form, setBy, sortable }: Field, value: Json): number | string | null {
  if (value === null) return null;
  switch (form.kind) {
    case "choice":
      return form.ranked ? form.values.indexOf(value as string) : (value as string);
    case "flag":
      return Number(value);
    case "instant":
      return Date.parse(value as string);
    case "due":
      return dueMs(value as unknown as Due);
    case "text":
      // Texts of the writer, as ranks are, compare by their bytes.
      return sortable === true && setBy === "client" ? sortForm(value as string) : (value as string);
    default:
      return value as number | string;
  }
}

/** The value of a document by which lists are sorted and filtered; `name` may be `createdAt` or `updatedAt`. */
export function listedValue(
  { fields: known }: ResourceType,
  name: string,
  { fields, createdAt, updatedAt }: Document,
  shown: Fields,
): number | string | null {
  if (name === "createdAt") return Date.parse(createdAt);
  if (name === "updatedAt") return Date.parse(updatedAt);
  return listValue(known[name] as Field, shownValue(name, fields, shown));
}

/** A whole day is due at its end; without a zone a time counts as UTC. */
function dueMs(due: Due): number | null {
  const instant = instantOfDue({ ...due, time: due.time ?? "23:59:59.999", timeZone: due.timeZone ?? "UTC" });
  return instant === null ? null : Date.parse(instant);
}

/** Whether a `due` depends on the zone of whoever reads it. */
export function isLocalDue(due: Json): boolean {
  return due !== null && (due as unknown as Due).timeZone === undefined;
}

/** A value that a filter asks for, in the form of `listValue`. */
export function askedValue(field: Field, value: string): number | string | null {
  switch (field.form.kind) {
    case "flag":
      return Number(value === "true");
    case "integer":
      return Number(value);
    default:
      return listValue(field, value);
  }
}

/** What a state is made of: whether the resource is deleted, and a bit for each of its type's hidings. Lists show those of state 0. */
export const deletedBit = 1;

export function hidingBit(index: number): number {
  return 2 << index;
}

/** The states that a list shows: those of `deleted`, with or without the bits of the hidings in spite of which resources were asked for. */
export function shownStates(type: ResourceType, deleted: boolean, shownThough: readonly string[]): number[] {
  let states = [deleted ? deletedBit : 0];
  for (const [index, { field }] of (type.hidings ?? []).entries())
    if (shownThough.includes(field)) states = states.flatMap((state) => [state, state | hidingBit(index)]);
  return states;
}

/** All that a resource can have which is not deleted. */
export function livingStates({ hidings = [] }: ResourceType): number[] {
  return Array.from({ length: hidingBit(hidings.length) }, (_, state) => state).filter(
    (state) => !(state & deletedBit),
  );
}

/** Whether a resource hides what refers to it. */
export function hides(
  { flag, isInherited }: Hiding,
  bit: number,
  other: { readonly state: number; readonly fields: Fields },
): boolean {
  if ((other.state & deletedBit) !== 0) return true;
  if (flag !== undefined && other.fields[flag] === true) return true;
  return isInherited === true && (other.state & bit) !== 0;
}

/** What follows for a document from those it refers to. `other`: what a field refers to; undefined where that is nothing, or not there. */
export function placeOf(
  type: ResourceType,
  document: Pick<Document, "fields" | "deletedBy">,
  other: (field: string) => { readonly state: number; readonly document: Pick<Document, "fields"> } | undefined,
): { readonly state: number; readonly shown: Fields } {
  let state = document.deletedBy === undefined ? 0 : deletedBit;
  for (const [index, hiding] of (type.hidings ?? []).entries()) {
    const bit = hidingBit(index);
    const hider = other(hiding.field);
    if (hider !== undefined && hides(hiding, bit, { state: hider.state, fields: hider.document.fields })) state |= bit;
  }
  const by = type.shown === undefined ? undefined : other(type.shown.by);
  return { state, shown: shownFields(type, document.fields, by?.document.fields) };
}

export type Dependent = { readonly type: ResourceType; readonly field: string };

/** Types whose resources are hidden or shown otherwise by what becomes of one of this type, with the field that refers to it. */
export function dependentsOf(registry: Registry, { name }: ResourceType): Dependent[] {
  return [...registry.values()].flatMap((type) => {
    const fields = [
      ...(type.hidings ?? []).map(({ field }) => field),
      ...(type.shown === undefined ? [] : [type.shown.by]),
    ];
    return [...new Set(fields)].flatMap((field) => {
      const form = type.fields[field]?.form;
      return form?.kind === "reference" && form.to === name ? [{ type, field }] : [];
    });
  });
}
