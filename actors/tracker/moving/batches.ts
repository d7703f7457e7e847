/** Changes of one space, sent as few requests: what the server refuses of them is set right or left out, and the others go on. */
import { ProblemError } from "../../../clients/typescript/src/problem.ts";
import type { Change } from "./creation.ts";
import type { ServerApi } from "./server-api.ts";

/** One resource's part of a batch. */
export type Item = {
  /** As it is to be sent now; undefined: it has nothing to ask for any more. */
  change(): Change | undefined;
  /** It took effect; what it was answered with, null where that is deleted. */
  done(resource: Readonly<Record<string, unknown>> | null): void;
  /** The server does not take it as it is. Resolves when `change` answers another one, or undefined. */
  refused(refusal: ItemRefusal): Promise<void>;
};

export type ItemRefusal = {
  readonly code: ProblemError["code"];
  readonly detail: string;
  /** JSON pointer into the change. */
  readonly path: string;
};

export type Batches = {
  /** Sends what has been gathered where this one has no room beside it. */
  add(item: Item): Promise<void>;
  flush(): Promise<void>;
};

/** Half of what the server takes, and far below what one fact may hold. */
const batchBytesMax = 2 ** 20;

export function batches(api: ServerApi, spaceId: string): Batches {
  let items: Item[] = [];
  let bytes = 0;

  async function flush(): Promise<void> {
    let left = items;
    items = [];
    bytes = 0;
    for (;;) {
      const asked = left.flatMap((item) => {
        const change = item.change();
        return change === undefined ? [] : [{ item, change }];
      });
      if (asked.length === 0) return;
      try {
        const changes = asked.map(({ change }) => change);
        const { items: answers = [] } = await api.change(`/v1/spaces/${spaceId}/batch`, { changes, import: true });
        for (const [place, { item }] of asked.entries()) item.done(answers[place] ?? null);
        return;
      } catch (failure) {
        const refusals = refusalsIn(failure);
        if (refusals.length === 0) throw failure;
        for (const { place, refusal } of refusals) await asked[place]?.item.refused(refusal);
        left = asked.map(({ item }) => item);
      }
    }
  }

  return {
    flush,
    async add(item) {
      const change = item.change();
      if (change === undefined) return;
      const size = Buffer.byteLength(JSON.stringify(change));
      if (items.length >= api.changesMax() || bytes + size > batchBytesMax) await flush();
      items.push(item);
      bytes += size;
    },
  };
}

/** What of a batch is refused: one change by the writer, any number by what their form tells. Nothing: it is the batch itself. */
function refusalsIn(failure: unknown): { place: number; refusal: ItemRefusal }[] {
  if (!(failure instanceof ProblemError)) return [];
  const { code, message, errors, problem } = failure;
  // Another batch would meet the same.
  if (["forbidden", "limit-reached", "unauthenticated", "body-too-large"].includes(code)) return [];
  const told = errors.flatMap(({ path, message: detail }) => {
    const [, place, rest = ""] = /^\/changes\/(\d+)(.*)$/s.exec(path) ?? [];
    return place === undefined ? [] : [{ place: Number(place), refusal: { code, detail, path: rest } }];
  });
  if (told.length > 0) return told;
  const { change } = problem as { change?: number };
  return change === undefined ? [] : [{ place: change, refusal: { code, detail: message, path: "" } }];
}
