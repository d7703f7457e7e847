/** An integer in a query: decimal digits and nothing else, within bounds. The published schema is that of the number. */
import { Kind, type TSchema, TypeRegistry } from "@sinclair/typebox";

export type IntegerBounds = { minimum: number; maximum?: number; default?: number; description: string };

const digits = /^(?:0|[1-9][0-9]*)$/;

TypeRegistry.Set<IntegerBounds>("IntegerParameter", ({ minimum, maximum = Number.POSITIVE_INFINITY }, value) => {
  if (typeof value !== "string" || !digits.test(value)) return false;
  return Number(value) >= minimum && Number(value) <= maximum;
});

export function integerParameter(bounds: IntegerBounds): TSchema {
  return { [Kind]: "IntegerParameter", type: "integer", ...bounds } as unknown as TSchema;
}
