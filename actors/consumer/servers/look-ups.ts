/** How documents of spaces are looked up in MongoDB by what they refer to, or by their place in an order. */
import type { Filter } from "mongodb";
import { parts } from "../../mongo/parts.ts";
import { type DocumentRecord, type SpaceCollections, termOf } from "../../mongo/space-collections.ts";
import type { Range, Reference } from "../../resources/draft.ts";
import { livingStates } from "../../resources/listing.ts";
import { type Registry, typeNamed } from "../../resources/registry.ts";
import type { FactStore, InRange, Referrer } from "../write-ports.ts";

const keysAtOnceMax = 1_000;
const byTerms = { space: 1, terms: 1 };

export function mongoLookUps(
  { documents }: Pick<SpaceCollections, "documents">,
  registry: Registry,
): Pick<FactStore, "referrers" | "ranged"> {
  return {
    async referrers(spaceId: string, references: readonly Reference[]): Promise<Referrer[]> {
      const found: Referrer[] = [];
      const [{ type, field } = { type: "", field: "" }] = references;
      const asked = new Map(references.map(({ id }) => [termOf(field, id), id]));
      for (const part of parts([...asked.keys()], keysAtOnceMax)) {
        const referring = documents
          .find({ space: spaceId, terms: { $in: part }, type })
          .project<{ id: string; terms: readonly string[] }>({ _id: 0, id: 1, terms: 1 })
          .hint(byTerms);
        for (const { id, terms } of await referring.toArray())
          for (const term of terms) {
            const to = asked.get(term);
            if (to !== undefined) found.push({ id, to });
          }
      }
      return found;
    },

    async ranged(spaceId: string, { type, field, above, below, isDescending, max }: Range): Promise<InRange[]> {
      const states = livingStates(typeNamed(registry, type));
      const filter = { space: spaceId, type, state: { $in: states }, [field]: { $gt: above, $lt: below } };
      const found = documents
        .find(filter as Filter<DocumentRecord>)
        .project<Record<string, string>>({ _id: 0, id: 1, [field]: 1 })
        .sort({ [field]: isDescending ? -1 : 1 })
        .limit(max);
      return (await found.toArray()).map((each) => ({ id: each.id as string, value: each[field] as string }));
    },
  };
}
