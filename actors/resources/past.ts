/** What a resource was: the fold of its changes, and how facts are told to clients. */
import type { Document } from "./document.ts";
import { applied, type Change, type Fact, type FactOfChange } from "./fact.ts";
import { personalDocument } from "./head.ts";
import type { Registry } from "./registry.ts";
import type { ResourceType } from "./resource-type.ts";

/** One change of a resource with the fact that it is of. */
export type Past = { readonly change: Change; readonly fact: FactOfChange };

/** The document after these changes, which are all of it up to some version, oldest first. Undefined where there are none. */
export function documentAfter(type: ResourceType, changes: readonly Past[]): Document | undefined {
  const [first] = changes;
  // The space and the member that a person has from the start are made by no fact.
  const given = first === undefined || first.change.version === 1 ? undefined : first;
  const born = given === undefined ? undefined : personalDocument(given.fact.spaceId, given.change.id);
  return changes.reduce<Document | undefined>((before, { change, fact }) => applied(type, before, change, fact), born);
}

/** A change as history tells it: without what is hidden. */
export function toldChange(registry: Registry, { type, id, version, kind, fields, deleted }: Change) {
  const known = registry.get(type)?.fields ?? {};
  const told = Object.fromEntries(Object.entries(fields).filter(([name]) => known[name]?.setBy !== "hidden"));
  return { type, id, version, kind, fields: told, ...(deleted === undefined ? {} : { deleted }) };
}

/** A fact of the feed. Only facts with a `seq` are told. */
export function toldFact(registry: Registry, { spaceId, seq, at, actorId, operationId, changes }: Fact) {
  const told = changes.map((change) => {
    const shown = toldChange(registry, change);
    // The feed is one for all members: what only some may read is not in it.
    return registry.get(change.type)?.seenBy === undefined ? shown : { ...shown, fields: {} };
  });
  return { spaceId, seq, at, actorId, operationId, changes: told };
}
