/** What a body that leaves a field out gets from the edge, where a default needs a clock or new ids: decisions know neither. */
import { toInstant } from "../model/instant.ts";
import type { Fault } from "../model/problem.ts";
import type { Fields } from "../resources/document.ts";
import type { Json } from "../resources/field.ts";
import { invitation, lifetimeDaysDefault, lifetimeDaysMax } from "../resources/invitation.ts";
import type { ResourceType } from "../resources/resource-type.ts";
import { newColumns } from "./resource-columns.ts";

/** What the edge has and decisions have not. */
export type Edge = {
  readonly nowMs: number;
  newId(): string;
  /** Why nobody may have this address called, of one that has its form. */
  urlFault?(url: string): string | undefined;
};

const dayMs = 86_400_000;

/** By field; only creations get them, for a replacement keeps what is there. */
export function edgeDefaults(type: ResourceType): Readonly<Record<string, (edge: Edge) => Json>> {
  const defaults: Record<string, (edge: Edge) => Json> = {};
  for (const [name, { form }] of Object.entries(type.fields))
    if (form.kind === "columns") defaults[name] = ({ newId }) => newColumns(newId);
  if (type.name === invitation.name) defaults.expiresAt = ({ nowMs }) => toInstant(nowMs + lifetimeDaysDefault * dayMs);
  return defaults;
}

/** The bounds that depend on the clock. `body` is in kept form. */
export function clockFaults(type: ResourceType, body: Fields, edge: Edge, past: readonly string[]): Fault[] {
  const now = toInstant(edge.nowMs);
  const faults = past
    .filter((name) => typeof body[name] === "string" && body[name] > now)
    .map((name) => ({ path: `/${name}`, message: "must not be in the future" }));
  const { expiresAt } = body;
  if (type.name !== invitation.name || typeof expiresAt !== "string") return faults;
  if (expiresAt <= now) faults.push({ path: "/expiresAt", message: "must be in the future" });
  else if (expiresAt > toInstant(edge.nowMs + lifetimeDaysMax * dayMs))
    faults.push({ path: "/expiresAt", message: `must be at most ${lifetimeDaysMax} days from now` });
  return faults;
}
