/** The keeper's side of the cache of spaces: entries of what was told, and its mark of how far it has come in each partition. */
import type { Redis } from "ioredis";
import { type SpaceEntry, spaceEntryText, spaceKeys } from "../redis/space-cache.ts";
import { lifeMs, unmarkedMs, withSpaceCache } from "../redis/space-cache-scripts.ts";
import { registry } from "../resources/registry.ts";
import { resourceText } from "../resources/served.ts";
import type { Projected, Told } from "../resources/verdict.ts";
import { emptyOf } from "./empty-cache.ts";
import type { KeptCache } from "./keep.ts";

export type KeptResource = { readonly spaceId: string; readonly id: string; readonly entry: SpaceEntry };

export function keptSpacesInRedis(connection: Redis): KeptCache<KeptResource> {
  const redis = withSpaceCache(connection);
  return {
    cooldownMs: 2 * unmarkedMs,

    async keep(partition, kept, mark) {
      const names = [spaceKeys.kept];
      const values: (string | number)[] = [partition, mark?.offset ?? "", mark?.before ?? ""];
      for (const { spaceId, id, entry } of kept) {
        names.push(spaceKeys.resource(spaceId, id), spaceKeys.lease(spaceId, id));
        values.push(entry.version, entry.asOf, lifeMs(), spaceEntryText(entry));
      }
      return (await redis.ttKeep(names.length, ...names, ...values)) === 1;
    },

    empty: (partitions) => emptyOf(redis, { kept: spaceKeys.kept, pattern: spaceKeys.resource("*", "*") }, partitions),
  };
}

export const ofSpaces = {
  /** What says how far the read model is says nothing of the cache. */
  positionOf: (said: Told | Projected): number => (said.kind === "projected" ? -1 : said.position),
  keptOf: (said: readonly (Told | Projected)[]): KeptResource[] => said.flatMap(entriesOf),
};

/** Each resource that a fact changed. Only what is told whole has a text, and no task that is shown by the columns of its project. */
function entriesOf(said: Told | Projected): KeptResource[] {
  if (said.kind !== "decided" || said.fact.seq === undefined) return [];
  const { fact, spaceId, position: asOf } = said;
  const documents = new Map(said.documents.map((document) => [document.id, document]));
  const versions = new Map(fact.changes.map((change) => [change.id, change]));
  return [...versions.values()].map(({ id, type: name, version }) => {
    const document = documents.get(id);
    const type = registry.get(name);
    const isWhole = document?.version === version && type !== undefined;
    const isShownByProject = name === "task" && document?.fields.projectId !== null;
    const text = isWhole && !isShownByProject ? resourceText(type, document) : "";
    return { spaceId, id, entry: { version, asOf, isDeleted: document?.deletedBy !== undefined, type: name, text } };
  });
}
