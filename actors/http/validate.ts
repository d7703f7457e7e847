/** A TypeBox model as a check that lists every fault. */
import { FormatRegistry, Kind, type TSchema } from "@sinclair/typebox";
import { TypeCompiler, type ValueError, ValueErrorType } from "@sinclair/typebox/compiler";
import { instantMs } from "../model/instant.ts";
import { type Fault, faultsMax } from "../model/problem.ts";
import { type TextBounds, type TextsBounds, textFaults, textsFaults } from "./text.ts";

export const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

FormatRegistry.Set("uuid", (value) => uuidPattern.test(value));
FormatRegistry.Set("date-time", (value) => instantMs(value) !== undefined);

/** Compiles a model once; the check answers the faults of a value, none when it fits. Paths are JSON pointers (RFC 6901). */
export function checker(schema: TSchema): (value: unknown) => Fault[] {
  const compiled = TypeCompiler.Compile(schema);
  return (value) => {
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
      if (faults.length >= faultsMax) return faults.slice(0, faultsMax);
    }
    return faults;
  };
}

function describe(error: ValueError): string {
  const { schema, type } = error;
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return "is required";
    case ValueErrorType.ObjectAdditionalProperties:
      return "is not a known field";
    case ValueErrorType.ArrayUniqueItems:
      return "must not repeat an item";
    case ValueErrorType.ArrayMaxItems:
      return `must have at most ${schema.maxItems} items`;
    case ValueErrorType.StringFormat:
    case ValueErrorType.Union:
    case ValueErrorType.Literal:
      return `must be ${choices(schema)
        .join(", ")
        .replace(/, ([^,]*)$/, " or $1")}`;
    case ValueErrorType.StringPattern:
      return `must match ${schema.pattern}`;
    default:
      return error.message
        .replace(/^Expected /, "must be ")
        .replace(/ (?=(?:array|object|integer)\b)/, " an ")
        .replace(/ (?=(?:string|number|boolean)\b)/, " a ");
  }
}

/** What would be taken, in words. */
function choices(schema: TSchema): string[] {
  if (schema.anyOf !== undefined) return (schema.anyOf as TSchema[]).flatMap(choices);
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  if (schema.format === "date-time") return ["an RFC 3339 instant"];
  return [schema.format === "uuid" ? "a lower-case UUID" : schema.type === "null" ? "null" : `a ${schema.type}`];
}
