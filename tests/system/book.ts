/** What one user was told, and whether the system keeps its word: every answered change there, each once, versions without gap. */
import { call, type HistoryEntry, inParallel, type Person, type Reply, type Task, type TaskPage } from "./client.ts";
import { poll } from "./poll.ts";

/** A change that was answered: with the version it made, or (204) without. */
export type Answered = { taskId: string; kind: "create" | "patch" | "delete"; title: string; version?: number };

export type Book = {
  readonly answered: Answered[];
  /** Titles of creates and patches that were sent, whatever came of them. */
  readonly sent: Set<string>;
  /** Answered by 202: where to look, and what was asked. */
  readonly pending: { location: string; taskId?: string; title: string }[];
  /** Tasks on which a change was sent whose fate is not known: they may be newer than answered. */
  readonly uncertain: Set<string>;
};

/** What became of an operation: with the task where it is not deleted (on servers), or in `items` (in one process). */
type Operation = { status: string; task?: Task; items?: (Task | null)[] };

export const book = (): Book => ({ answered: [], sent: new Set(), pending: [], uncertain: new Set() });

/** What is wrong, in words; nothing when all is right. To be asked when nothing is under way any more. */
export async function audit(url: string, who: Person, told: Book): Promise<string[]> {
  const wrong: string[] = [];
  const get = <Body>(path: string) => call<Body>(url, "GET", path, { token: who.tokens.accessToken });

  /** A list that is not stale: all that was written is in it. */
  async function all(query: string): Promise<Task[]> {
    const found: Task[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      let page: TaskPage | undefined;
      await poll(`the list ${query} is whole`, 60_000, async () => {
        const reply = await get<TaskPage>(`/v1/tasks?limit=100${query}${at}`);
        if (reply.status === 200 && reply.headers.get("consistency") === null) page = reply.body;
        return page !== undefined;
      });
      found.push(...(page?.items ?? []));
      cursor = page?.nextCursor ?? null;
    }
    return found;
  }

  for (const { location, title, taskId } of told.pending) {
    let body: Operation | undefined;
    await poll(`${location} is decided`, 60_000, async () => {
      const reply = await get<Operation>(location);
      if (reply.status === 200) body = reply.body;
      return body !== undefined && body.status !== "pending";
    });
    if (body?.status !== "applied") continue;
    const task = body.task ?? body.items?.[0] ?? undefined;
    // A task that was made so and is deleted by now is told of by its deletion.
    if (task === undefined && taskId === undefined) continue;
    if (task === undefined) told.answered.push({ taskId: taskId ?? "", kind: "delete", title });
    else
      told.answered.push({
        taskId: task.id,
        kind: taskId === undefined ? "create" : "patch",
        title,
        version: task.version,
      });
  }

  const living = await all("");
  const deleted = await all("&deleted=true");
  const tasks = new Map([...living, ...deleted].map((task) => [task.id, task]));
  if (tasks.size !== living.length + deleted.length) wrong.push("a task is listed twice");
  const lost = told.answered.filter(({ taskId }) => !tasks.has(taskId));
  for (const each of lost) wrong.push(`lost: ${each.kind} ${each.title} of ${each.taskId}`);

  const born = new Map<string, string>();
  const changes = told.answered.filter(({ taskId }) => tasks.has(taskId));
  const byTask = Map.groupBy(changes, ({ taskId }) => taskId);
  await inParallel(tasks.size, 8, async (index) => {
    const task = [...tasks.values()][index] as Task;
    const mine = byTask.get(task.id) ?? [];
    const isPlain = task.version === 1 && mine.every(({ kind }) => kind === "create");
    const history = isPlain ? [] : await historyOf(task.id);
    const oldestFirst = history.toReversed();
    if (!isPlain && oldestFirst.some(({ version }, at) => version !== at + 1))
      wrong.push(`${task.id} has versions ${oldestFirst.map(({ version }) => version).join(" ")}`);
    if (!isPlain && history[0]?.version !== task.version) {
      wrong.push(`${task.id} is at version ${task.version} and its history at ${history[0]?.version}`);
    }
    if (new Set(history.map(({ operationId }) => operationId)).size !== history.length)
      wrong.push(`${task.id} has an operation twice`);
    const titles = isPlain
      ? [task.title]
      : oldestFirst.map(({ changes: { title } }) => title?.to as string | undefined);
    const first = titles[0] ?? "";
    if (born.has(first)) wrong.push(`${first} was created twice: ${born.get(first)} and ${task.id}`);
    born.set(first, task.id);
    for (const title of titles) if (title !== undefined && !told.sent.has(title)) wrong.push(`nobody sent ${title}`);
    const known = titles.filter((title) => title !== undefined);
    if (new Set(known).size !== known.length) wrong.push(`${task.id} took a change twice: ${known.join(", ")}`);
    for (const { kind, title, version } of mine)
      if (kind !== "delete" && version !== undefined && titles[version - 1] !== title)
        wrong.push(
          `${kind} ${title} was answered as version ${version} of ${task.id}, which is ${titles[version - 1]}`,
        );
    const removals = mine.filter(({ kind }) => kind === "delete").length;
    if (history.filter(({ kind }) => kind === "deleted").length < removals) wrong.push(`${task.id} was not deleted`);
  });
  return wrong;

  async function historyOf(id: string): Promise<HistoryEntry[]> {
    const found: HistoryEntry[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      let reply: Reply<{ items: HistoryEntry[]; nextCursor: string | null }> | undefined;
      // As with lists: what cannot be read now is asked for again.
      await poll(`the history of ${id} can be read`, 60_000, async () => {
        reply = await get<{ items: HistoryEntry[]; nextCursor: string | null }>(
          `/v1/tasks/${id}/history?limit=100${at}`,
        );
        return reply.status !== 503;
      });
      if (reply?.status !== 200) {
        wrong.push(`the history of ${id} is ${reply?.status} ${reply?.text}`);
        break;
      }
      found.push(...reply.body.items);
      cursor = reply.body.nextCursor;
    }
    return found;
  }
}
