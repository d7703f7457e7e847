/** The conditions of a list on one resource at hand, as both read models answer them. */
import type { Document, Fields } from "../resources/document.ts";
import { type Field, isSet } from "../resources/field.ts";
import { askedValue, isLocalDue, listedValue, wordFields, wordsIn } from "../resources/listing.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import type { Span } from "./due-bounds.ts";
import type { Condition } from "./resource-query.ts";

export type Candidate = {
  readonly type: ResourceType;
  readonly document: Document;
  /** Fields that readers see with another value than is stored. */
  readonly shown: Fields;
};

export function meets({ type, document, shown }: Candidate, condition: Condition): boolean {
  const value = (name: string) => listedValue(type, name, document, shown);
  const items = (name: string) => (document.fields[name] ?? []) as readonly string[];
  switch (condition.kind) {
    case "ids":
      return condition.ids.includes(document.id);
    case "any": {
      const { field: name, values } = condition;
      const field = type.fields[name] as Field;
      if (isSet(field))
        return values.some((each) => (each === null ? items(name).length === 0 : items(name).includes(each)));
      const own = value(name);
      return values.some((each) => (each === null ? own === null : own === askedValue(field, each)));
    }
    case "all":
      return condition.values.every((each) => items(condition.field).includes(each));
    case "words": {
      const words = wordsIn(wordFields(type), document.fields);
      return condition.words.every((beginning) => words.some((word) => word.startsWith(beginning)));
    }
    case "before":
    case "after": {
      const own = value(condition.field);
      if (own === null) return false;
      return condition.kind === "before" ? Number(own) < condition.ms : Number(own) > condition.ms;
    }
    case "due": {
      const own = value(condition.field);
      if (own === null) return false;
      const { instants, local } = condition.spans;
      const isLocal = isLocalDue(document.fields[condition.field] ?? null);
      return (isLocal ? local : [instants]).some((span) => isWithin(span, Number(own)));
    }
  }
}

function isWithin({ from, to }: Span, ms: number): boolean {
  return ms >= from && ms < to;
}
