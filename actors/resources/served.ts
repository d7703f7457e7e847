/** A resource as it is stored in the read model, cached and served: always the same keys in the same order, so that equal resources are equal texts. */
import type { Document, Fields } from "./document.ts";
import { isSame, type Json } from "./field.ts";
import type { ResourceType } from "./resource-type.ts";

/** `shown`: values that the projection shows in the place of stored ones (a task's column after its own has gone). */
export function resourceOf(type: ResourceType, document: Document, shown: Fields = {}): Record<string, Json> {
  const resource: Record<string, Json> = { id: document.id, spaceId: document.spaceId };
  for (const [name, { setBy }] of Object.entries(type.fields)) {
    if (setBy === "hidden") continue;
    resource[name] = shownValue(name, document.fields, shown);
    const more = type.served?.[name];
    if (more !== undefined) resource[more.name] = more.of(document.fields);
  }
  const { creatorId, version, createdAt, updatedAt } = document;
  return { ...resource, creatorId, version, createdAt, updatedAt };
}

/** What readers see of a field: null may be shown in the place of a value. */
export function shownValue(name: string, fields: Fields, shown: Fields): Json {
  const value = shown[name];
  return value === undefined ? (fields[name] ?? null) : value;
}

/** What is shown in the place of stored values. `by`: the fields of what the resource refers to. */
export function shownFields(type: ResourceType, fields: Fields, by: Fields | undefined): Record<string, Json> {
  if (type.shown === undefined || by === undefined) return {};
  const { field, of } = type.shown;
  const value = of(fields, by);
  return isSame(value, fields[field]) ? {} : { [field]: value };
}

export function resourceText(type: ResourceType, document: Document, shown?: Fields): string {
  return JSON.stringify(resourceOf(type, document, shown));
}
