/** Changes that are shown although the server has not told of them: from when they are made until their fact is here. */
import { type Entry, entries, isOwnAlone, remove } from "../store/outbox.ts";
import { storeOf } from "./spaces.ts";
import { isLeader } from "./tabs.ts";

export function showPendingOf(spaceId: string): void {
  const store = storeOf(spaceId);
  const pending = entries.value.filter(
    (entry) => entry.spaceId === spaceId && entry.state !== "refused" && !isTold(entry, store.seq),
  );
  store.showPending(pending);
}

/** To be called when the browser's own store has the documents of this `seq`: an entry that went sooner would be missing after a reload without a network. */
export function removeTold(spaceId: string, seq: number): void {
  for (const entry of entries.value)
    if (entry.spaceId === spaceId && isTold(entry, seq) && isToSend(entry)) void remove(entry.key);
}

/** The tab that leads sends all, and each what only it knows of. */
export const isToSend = ({ key }: Entry): boolean => isLeader.value || isOwnAlone(key);

/** The server's documents hold it already. */
function isTold({ state, seq }: Entry, upTo: number): boolean {
  return state === "sent" && seq !== undefined && seq <= upTo;
}
