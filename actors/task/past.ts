/** What a resource was: read back from its changes. */
import { instantMs } from "../model/instant.ts";
import type { Document } from "../resources/document.ts";
import { personalDocument } from "../resources/head.ts";
import { documentAfter } from "../resources/past.ts";
import { registry } from "../resources/registry.ts";
import { type MaybePromise, then } from "./maybe-promise.ts";
import type { SpaceReads, StoredChange } from "./ports.ts";

/** How a look at the past names its moment. `seq`: as the fact of this number left it, or one before. */
export type Moment = { readonly version: number } | { readonly asOfMs: number } | { readonly seq: number };

const all = Number.MAX_SAFE_INTEGER;

/** Undefined where it did not exist then; it may have been deleted. */
export function documentAt(
  reads: Pick<SpaceReads, "changes">,
  spaceId: string,
  id: string,
  moment: Moment,
): MaybePromise<Document | undefined> {
  const below = "version" in moment ? moment.version + 1 : all;
  return then(reads.changes(spaceId, id, below, all), (newestFirst) => {
    const changes = newestFirst.toReversed().filter((each) => isUntil(each, moment));
    const [first] = changes;
    const type = registry.get(first?.change.type ?? "");
    const born = personalDocument(spaceId, id);
    if (type === undefined) return born !== undefined && isBornBy(born, moment) ? born : undefined;
    const document = documentAfter(type, changes);
    return "version" in moment && document?.version !== moment.version ? undefined : document;
  });
}

function isUntil({ change, fact }: StoredChange, moment: Moment): boolean {
  if ("version" in moment) return change.version <= moment.version;
  if ("seq" in moment) return fact.seq <= moment.seq;
  // A creation has the instant that its edge has answered, which its fact may be later than.
  return (instantMs(change.updatedAt ?? fact.at) ?? 0) <= moment.asOfMs;
}

function isBornBy({ version, createdAt }: Document, moment: Moment): boolean {
  if ("version" in moment) return moment.version === version;
  return "seq" in moment || (instantMs(createdAt) ?? 0) <= moment.asOfMs;
}
