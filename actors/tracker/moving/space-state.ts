/** What the space that is imported into has of the file already: from its facts, so that deleted and hidden ones count as well. */

import type { FeedFact } from "../../resources/fact.ts";
import { ownReference } from "./creation.ts";
import type { ImportFile } from "./import-file.ts";
import { factPages } from "./pages.ts";
import type { ServerApi } from "./server-api.ts";

export type Presence = {
  version: number;
  /** It was made with the reference to a resource of its own type that it has in the file, or there is none. */
  isAttached: boolean;
};

export type SpaceState = {
  /** Reads what has happened since the last time. */
  update(onProgress?: (done: number, total: number) => void): Promise<void>;
  /** Undefined: the space has never had this id. */
  of(id: string): Presence | undefined;
  set(id: string, presence: Presence): void;
};

export function spaceState(
  api: ServerApi,
  spaceId: string,
  file: Pick<ImportFile, "document">,
  place: number,
): SpaceState {
  const present = new Map<string, Presence>();
  let after = 0;

  function take({ changes }: FeedFact): void {
    for (const { id, version, fields } of changes) {
      const known = present.get(id);
      if (known !== undefined) known.version = Math.max(known.version, version);
      else {
        const document = file.document(place, id);
        if (document === undefined) continue;
        const reference = ownReference(document.type);
        const isAttached =
          reference === undefined || document.resource[reference] === null || fields[reference] !== undefined;
        present.set(id, { version, isAttached });
      }
    }
  }

  return {
    async update(onProgress) {
      for await (const page of factPages(api, spaceId, after)) {
        for (const fact of page.items) take(fact);
        after = page.after;
        onProgress?.(after, page.seq);
      }
    },
    of: (id) => present.get(id),
    set: (id, presence) => void present.set(id, presence),
  };
}
