/** The columns of a project as clients give them. */
import type { Fault } from "../model/problem.ts";
import type { Json } from "../resources/field.ts";
import { defaultColumns, statuses } from "../resources/project.ts";
import { text, textFaults } from "./text.ts";
import { pointer } from "./urlencoded.ts";
import { uuidPattern } from "./validate.ts";

const nameBounds = { minLength: 1, maxLength: 100, blank: false };
const known = ["id", "name", "status"];

export function columnsSchema(max: number, isServed: boolean): object {
  return {
    type: "array",
    minItems: 1,
    maxItems: max,
    description: "In their order. A column's id is made where it is missing, and its status never changes",
    items: {
      $id: isServed ? "Column" : "NewColumn",
      type: "object",
      properties: {
        id: { type: "string", format: "uuid", description: "Unique within the project" },
        name: text(nameBounds),
        status: { type: "string", enum: [...statuses], description: "What a task gets that is moved here" },
      },
      required: isServed ? known : ["name", "status"],
      additionalProperties: false,
    },
  };
}

/** Every fault of what should be columns; paths are JSON pointers from the list on. */
export function columnFaults(value: unknown, max: number): Fault[] {
  if (!Array.isArray(value)) return [{ path: "", message: "must be an array" }];
  const faults: Fault[] = [];
  if (value.length === 0) faults.push({ path: "", message: "must have at least 1 item" });
  if (value.length > max) faults.push({ path: "", message: `must have at most ${max} items` });
  const ids = new Set<unknown>();
  for (const [index, column] of value.entries()) {
    for (const { path, message } of faultsOfColumn(column)) faults.push({ path: `/${index}${path}`, message });
    const id = (column as { id?: unknown } | null)?.id;
    if (id !== undefined && ids.has(id)) faults.push({ path: `/${index}/id`, message: "must not repeat another id" });
    ids.add(id);
  }
  return faults;
}

function faultsOfColumn(column: unknown): Fault[] {
  if (typeof column !== "object" || column === null || Array.isArray(column))
    return [{ path: "", message: "must be an object" }];
  const { id, name, status } = column as Record<string, unknown>;
  const faults: Fault[] = Object.keys(column)
    .filter((each) => !known.includes(each))
    .map((each) => ({ path: pointer(each), message: "is not a known field" }));
  if (id !== undefined && !(typeof id === "string" && uuidPattern.test(id)))
    faults.push({ path: "/id", message: "must be a lower-case UUID" });
  if (name === undefined) faults.push({ path: "/name", message: "is required" });
  else faults.push(...textFaults(name, nameBounds).map((message) => ({ path: "/name", message })));
  if (status === undefined) faults.push({ path: "/status", message: "is required" });
  else if (!statuses.some((each) => each === status))
    faults.push({ path: "/status", message: `must be ${statuses.map((each) => `"${each}"`).join(" or ")}` });
  return faults;
}

export function keptColumns(columns: readonly Json[], newId: () => string): Json {
  return (columns as unknown as { id?: string; name: string; status: string }[]).map(({ id, name, status }) => ({
    id: id ?? newId(),
    name,
    status,
  }));
}

export function newColumns(newId: () => string): Json {
  return defaultColumns(newId) as unknown as Json;
}
