/** The body of a request about a resource: its model, all its faults, and the form in which the log carries it. */
import type { TSchema } from "@sinclair/typebox";
import { instantMs } from "../model/instant.ts";
import type { Fault } from "../model/problem.ts";
import { dueAtInstant } from "../resources/due.ts";
import type { Json } from "../resources/field.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { clockFaults, type Edge, edgeDefaults } from "./resource-defaults.ts";
import { compoundFaults, isObject, keptInstant, keptValue } from "./resource-fields.ts";
import {
  type BodyKind,
  bodyModel,
  importedInstants,
  inputNames,
  shorthands,
  writableFields,
} from "./resource-models.ts";
import { checker } from "./validate.ts";

export type ResourceBody = {
  readonly model: TSchema;
  /** Those that the model cannot tell, of a body that is an object. */
  furtherFaults(body: unknown, edge: Edge): Fault[];
  /** All of them; none: it can be kept, and decided on. */
  faults(body: unknown, edge: Edge): Fault[];
  /** Of a body without fault; the kept form of a kept form is itself. */
  kept(body: unknown, edge: Edge): Record<string, Json>;
};

export function resourceBody(type: ResourceType, kind: BodyKind, { isImport = false } = {}): ResourceBody {
  const model = bodyModel(type, kind, { isImport });
  const check = checker(model);
  const fields = writableFields(type, kind);
  const short = [...shorthands(type)];
  const inputs = inputNames(type);
  const defaults = kind === "create" ? Object.entries(edgeDefaults(type)) : [];
  const past = isImport ? importedInstants(type, kind) : [];
  /** Fields and imported instants that are checked against the clock. */
  const instants = [...fields.filter(([, { form }]) => form.kind === "instant").map(([name]) => name), ...past];
  const use = kind === "patch" ? "patch" : "whole";

  function furtherFaults(body: unknown, edge: Edge): Fault[] {
    if (!isObject(body)) return [];
    const faults = fields.flatMap(([name, field]) =>
      Object.hasOwn(body, name)
        ? compoundFaults(field, body[name], use).map(({ path, message }) => ({ path: `/${name}${path}`, message }))
        : [],
    );
    for (const [shorthand, name] of short)
      if (Object.hasOwn(body, shorthand) && Object.hasOwn(body, name))
        faults.push({ path: `/${shorthand}`, message: `must not be given with ${name}` });
    const timed = Object.fromEntries(
      instants.flatMap((name) => {
        const value = Object.hasOwn(body, name) ? body[name] : undefined;
        return typeof value === "string" && instantMs(value) !== undefined ? [[name, keptInstant(value)]] : [];
      }),
    );
    for (const [name, { form }] of fields) {
      const given = body[name];
      const message = form.kind === "url" && isUrl(given) ? edge.urlFault?.(given) : undefined;
      if (message !== undefined) faults.push({ path: `/${name}`, message });
    }
    return [...faults, ...clockFaults(type, timed, edge, past)];
  }

  function kept(body: unknown, edge: Edge): Record<string, Json> {
    const given = body as Readonly<Record<string, Json>>;
    const result: Record<string, Json> = {};
    for (const [name, field] of fields) {
      const value = given[name];
      if (value !== undefined) result[name] = keptValue(field, value, edge.newId);
    }
    for (const [shorthand, name] of short) {
      const value = given[shorthand];
      if (value !== undefined) result[name] = value === null ? null : { ...dueAtInstant(keptInstant(value as string)) };
    }
    for (const name of inputs) if (given[name] !== undefined) result[name] = given[name];
    for (const name of past) if (given[name] !== undefined) result[name] = imported(given[name]);
    for (const [name, make] of defaults) if (result[name] === undefined) result[name] = make(edge);
    return result;
  }

  return {
    model,
    furtherFaults,
    faults: (body, edge) => [...check(body), ...furtherFaults(body, edge)],
    kept,
  };
}

function isUrl(value: unknown): value is string {
  return typeof value === "string" && URL.canParse(value);
}

function imported(value: Json): Json {
  return value === null ? null : keptInstant(value as string);
}
