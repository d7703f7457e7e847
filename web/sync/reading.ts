/** What a snapshot leaves out is read with the task that is opened: its comments, and tasks that were completed long ago. */
import { writeDocuments } from "../store/database.ts";
import type { Resource } from "../store/space-store.ts";
import { getJson } from "./session.ts";
import { inTurn, isCurrent, readOne, storeOf } from "./spaces.ts";

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export const readComments = (spaceId: string, taskId: string): Promise<void> =>
  readAll(spaceId, "comment", `comments?task=${taskId}`);

/** Those that are still open are in the snapshot. */
export const readClosedSubtasks = (spaceId: string, taskId: string): Promise<void> =>
  readAll(spaceId, "task", `tasks?parent=${taskId}&status=done&status=cancelled`);

async function readAll(spaceId: string, type: string, list: string): Promise<void> {
  const store = storeOf(spaceId);
  for (let cursor: string | null = ""; cursor !== null; ) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: Resource[]; nextCursor: string | null } = await getJson(
      `/v1/spaces/${spaceId}/${list}&limit=100${more}`,
    );
    if (!isCurrent(store)) return;
    const documents = page.items.flatMap((item) => store.put(type, item) ?? []);
    await writeDocuments(spaceId, documents);
    cursor = page.nextCursor;
  }
}

/** Whether the server has it, for this user. In turn: a change that is told while it is read is taken after it. */
export async function readTask(spaceId: string, taskId: string): Promise<boolean> {
  // An address can name anything, another route too.
  if (![spaceId, taskId].every((id) => uuidPattern.test(id))) return false;
  let isThere = true;
  await inTurn(spaceId, async () => {
    const store = storeOf(spaceId);
    if (store.get(taskId) !== undefined) return;
    const document = await readOne(store, "task", taskId);
    isThere = document !== undefined;
    if (document !== undefined && isCurrent(store)) await writeDocuments(spaceId, [document]);
  });
  return isThere;
}
