/** A TypeBox model as a check that lists every fault. */
import { FormatRegistry, Kind, type TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler, type ValueError, ValueErrorType } from "@sinclair/typebox/compiler";
import { counted } from "../model/counted.ts";
import { instantMs } from "../model/instant.ts";
import { type Fault, faultsMax } from "../model/problem.ts";
import { type TextBounds, type TextsBounds, textFaults, textsFaults } from "./text.ts";

const instantInWords = "an RFC 3339 instant such as 2026-01-31T09:30:00Z";

export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

FormatRegistry.Set("uuid", (value) => uuidPattern.test(value));
FormatRegistry.Set("date-time", (value) => instantMs(value) !== undefined);

/**
 * The check answers the faults of a value, none when it fits. Paths are JSON pointers (RFC 6901). A model is compiled once, with its first value: most
 * processes never see one of most models, and all of them together are a fifth of a start.
 */
export function checker(schema: TSchema): (value: unknown) => Fault[] {
  let known: TypeCheck<TSchema> | undefined;
  return (value) => {
    const compiled = (known ??= TypeCompiler.Compile(schema));
    if (compiled.Check(value)) return [];
    const faults: Fault[] = [];
    /** A missing field has no further faults, though TypeBox goes on to say that it has not the right type either. */
    const missing = new Set<string>();
    for (const error of compiled.Errors(value)) {
      if (missing.has(error.path)) continue;
      if (error.type === ValueErrorType.ObjectRequiredProperty) missing.add(error.path);
      if (error.schema[Kind] === "Texts" && !missing.has(error.path)) {
        const inner = textsFaults(error.value, error.schema as unknown as TextsBounds);
        faults.push(...inner.map(({ path, message }) => ({ path: error.path + path, message })));
      } else if (error.schema[Kind] === "Text" && !missing.has(error.path)) {
        const inner = textFaults(error.value, error.schema as unknown as TextBounds);
        faults.push(...inner.map((message) => ({ path: error.path, message })));
      } else faults.push({ path: error.path.toWellFormed(), message: describe(error) });
      // One more than are told, so that the answer can say that there are more.
      if (faults.length > faultsMax) return faults.slice(0, faultsMax + 1);
    }
    return faults;
  };
}

function describe({ schema, type }: ValueError): string {
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return "is required";
    case ValueErrorType.ObjectAdditionalProperties:
      return "is not a known field";
    case ValueErrorType.ArrayUniqueItems:
      return "must not repeat an item";
    case ValueErrorType.ArrayMinItems:
      return `must have at least ${counted(schema.minItems, "item")}`;
    case ValueErrorType.ArrayMaxItems:
      return `must have at most ${counted(schema.maxItems, "item")}`;
    case ValueErrorType.StringMinLength:
      return `must have at least ${counted(schema.minLength, "character")}`;
    case ValueErrorType.StringMaxLength:
      return `must have at most ${counted(schema.maxLength, "character")}`;
    case ValueErrorType.StringPattern:
      return `must match ${schema.pattern}`;
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.IntegerMaximum:
    case ValueErrorType.NumberMinimum:
    case ValueErrorType.NumberMaximum:
      return `must be ${range(schema).replace(/^of /, "")}`;
    default:
      return `must be ${choices(schema)
        .join(", ")
        .replace(/, ([^,]*)$/, " or $1")}`;
  }
}

/** What would be taken, in words. */
function choices(schema: TSchema): string[] {
  if (schema.anyOf !== undefined) return (schema.anyOf as TSchema[]).flatMap(choices);
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.format === "date-time") return [instantInWords];
  if (schema.format === "uuid") return ["a lower-case UUID"];
  if (schema.type === "null") return ["null"];
  const article = /^[aeiou]/.test(String(schema.type)) ? "an" : "a";
  return [`${article} ${schema.type} ${range(schema)}`.trimEnd()];
}

/** The bounds of a number; empty when it has none. */
function range({ minimum, maximum }: TSchema): string {
  if (minimum !== undefined && maximum !== undefined) return `from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `of at least ${minimum}`;
  return maximum === undefined ? "" : `of at most ${maximum}`;
}
