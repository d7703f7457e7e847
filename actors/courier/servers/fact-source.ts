/** Facts and webhooks from the read model in MongoDB, each partition for itself: a fact that is there was decided, and none before it is missing. */

import { partitionOf } from "../../../runtime/partition.ts";
import type { SpacesChanged } from "../../consumer/messages.ts";
import { factPage } from "../../mongo/fact-page.ts";
import { parts } from "../../mongo/parts.ts";
import {
  changeKey,
  documentIn,
  foundAs,
  headIn,
  keyOf,
  type SpaceCollections,
  StoredTextError,
} from "../../mongo/space-collections.ts";
import type { Document, Head } from "../../resources/document.ts";
import { deletedBit } from "../../resources/listing.ts";
import { registry } from "../../resources/registry.ts";
import { webhooksMark } from "../../resources/webhook.ts";
import type { FactSource, WebhookKey } from "../ports.ts";

const bytesMax = 4 * 2 ** 20;
const spacesAtOnce = 500;
/** The webhooks of all partitions are read together; so long the next partition takes what was read for the one before. */
const sharedMs = 5_000;
/** Of spaces without webhooks marks are forgotten where there are more. */
const marksMax = 20_000;

export type MongoFactSources = {
  /** Of the spaces of one partition, of so many. */
  of(partition: number, partitions: number): FactSource;
  changed(spaces: SpacesChanged): void;
  /** What another process has announced was not heard here. */
  forget(): void;
};

type Followed = { readonly webhooks: readonly Document[]; readonly heads: ReadonlyMap<string, Head> };

export function mongoFactSources(
  { facts, documents, heads }: Pick<SpaceCollections, "facts" | "documents" | "heads">,
  { now, unreadable }: { readonly now: () => number; readonly unreadable: (fault: StoredTextError) => void },
): MongoFactSources {
  /** Numbers that never come again, by space. */
  const marks = new Map<string, number>();
  let latestMark = 0;
  let shared: { readonly mark: number; readonly readMs: number; readonly found: Promise<Followed> } | undefined;
  /** Of spaces that have webhooks, the latest fact that is known. */
  const seqs = new Map<string, number>();
  const mark = (id: string) => marks.get(id) ?? 0;
  const count = (id: string) => {
    latestMark += 1;
    marks.set(id, latestMark);
  };

  async function read(): Promise<Followed> {
    const records = await documents.find({ found: foundAs.webhook, state: 0 }, { hint: { found: 1 } }).toArray();
    const known = new Map<string, Head>();
    for (const part of parts([...new Set(records.map(({ space }) => space))], spacesAtOnce))
      for (const record of await heads.find({ _id: { $in: part } }).toArray())
        for (const head of readable(() => headIn(record))) known.set(record._id, head);
    // What was announced while nobody listened.
    for (const [spaceId, { seq }] of known) {
      if (seqs.get(spaceId) !== seq) count(spaceId);
      seqs.set(spaceId, seq);
    }
    for (const spaceId of seqs.keys()) if (!known.has(spaceId)) seqs.delete(spaceId);
    if (marks.size > marksMax)
      for (const id of marks.keys()) if (id !== webhooksMark && !seqs.has(id)) marks.delete(id);
    return { webhooks: records.flatMap((record) => readable(() => documentIn(registry, record).value)), heads: known };
  }

  /** One that is damaged holds up no other. */
  function readable<T>(value: () => T): T[] {
    try {
      return [value()];
    } catch (fault) {
      if (!(fault instanceof StoredTextError)) throw fault;
      unreadable(fault);
      return [];
    }
  }

  function followed(): Promise<Followed> {
    const current = mark(webhooksMark);
    if (shared === undefined || shared.mark !== current || now() - shared.readMs > sharedMs) {
      const reading = { mark: current, readMs: now(), found: read() };
      shared = reading;
      reading.found.catch(() => {
        if (shared === reading) shared = undefined;
      });
    }
    return shared.found;
  }

  return {
    changed({ spaceIds, hasWebhooks }) {
      for (const spaceId of spaceIds) count(spaceId);
      if (hasWebhooks) count(webhooksMark);
    },
    forget: () => count(webhooksMark),
    of: (partition, partitions) => ({
      mark,
      async webhooks() {
        const { webhooks, heads: known } = await followed();
        return webhooks.filter(
          ({ spaceId }) => partitionOf(spaceId, partitions) === partition && known.get(spaceId)?.isDeleted !== true,
        );
      },
      async deleted(webhooks) {
        const byKey = new Map<string, WebhookKey>(webhooks.map((each) => [keyOf(each.spaceId, each.id), each]));
        const found: WebhookKey[] = [];
        for (const part of parts([...byKey.keys()], spacesAtOnce))
          for (const { _id, state } of await documents
            .find({ _id: { $in: part } }, { projection: { state: 1 } })
            .toArray())
            if ((state & deletedBit) !== 0) found.push(byKey.get(_id) as WebhookKey);
        return found;
      },
      facts: (spaceId, after, limit) => factPage(facts, { spaceId, after, limit, bytesMax }),
      async seqs({ spaceId, id, seq }) {
        const [made, latest] = await Promise.all([
          facts.findOne({ space: spaceId, changed: changeKey(id, 1) }, { projection: { seq: 1 } }),
          facts.findOne({ space: spaceId, seq: { $gt: 0 } }, { projection: { seq: 1 }, sort: { seq: -1 } }),
        ]);
        return { made: made?.seq ?? seq, latest: latest?.seq ?? 0 };
      },
    }),
  };
}
