/** Numbers and truths in a query: decimal digits and nothing else, within bounds, and `true` or `false`. The published schemas are those of the values. */
import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";

export type IntegerBounds = { minimum: number; maximum?: number; default?: number; description: string };

const digits = /^(?:0|[1-9][0-9]*)$/;

TypeRegistry.Set<IntegerBounds>("IntegerParameter", ({ minimum, maximum = Number.POSITIVE_INFINITY }, value) => {
  if (typeof value !== "string" || !digits.test(value)) return false;
  return Number(value) >= minimum && Number(value) <= maximum;
});
TypeRegistry.Set("BooleanParameter", (_schema, value) => value === "true" || value === "false");

export function integerParameter(bounds: IntegerBounds): TSchema {
  return { [Kind]: "IntegerParameter", type: "integer", ...bounds } as unknown as TSchema;
}

export function booleanParameter(options: { description?: string; default?: boolean } = {}): TSchema {
  return { [Kind]: "BooleanParameter", type: "boolean", ...options } as unknown as TSchema;
}
