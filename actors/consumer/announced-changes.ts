/** Announces of which spaces the read model has more than before. */
import { webhook } from "../resources/webhook.ts";
import type { SpacesChanged } from "./messages.ts";
import type { FactStore } from "./write-ports.ts";

/** The store that is given; `changed` is called once what it tells can be read. */
export function announcing(store: FactStore, changed: (spaces: SpacesChanged) => void): FactStore {
  return {
    ...store,
    async project(documents, heads) {
      await store.project(documents, heads);
      if (heads.length === 0) return;
      const hasWebhooks = documents.some(({ type }) => type === webhook.name || type === "space");
      changed({ spaceIds: heads.map(({ spaceId }) => spaceId), hasWebhooks });
    },
  };
}
