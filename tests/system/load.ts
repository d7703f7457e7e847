/** Users who create, change, delete, read and list all the time, on any of several addresses, and look closely at each answer. */
import { audit, type Book, book } from "./book.ts";
import { call, inParallel, type Person, type Reply, type Task, type TaskPage } from "./client.ts";
import { type Random, random } from "./random.ts";

export type LoadOptions = {
  readonly urls: readonly string[];
  readonly people: readonly Person[];
  readonly seed: number;
  /** Reads send the token of the last write: needed where Redis is hurt and another instance may answer. */
  readonly tokens: boolean;
  /** Longer than this no answer may take. */
  readonly timeoutMs: number;
};

export type Load = {
  /** Changes that were answered as done. */
  progress(): number;
  /** By kind of request and status, how many. */
  readonly seen: ReadonlyMap<string, number>;
  /** What was wrong so far. */
  readonly wrong: readonly string[];
  slowestMs(): number;
  /** Ends it and looks all over again; what was wrong in all. */
  stop(): Promise<readonly string[]>;
};

/** A client's back-off. */
const pauseMs = 20;
/** Between a user's operations: a load that takes every processor would leave nothing to what starts again meanwhile. */
const betweenMs = 15;

export function load({ urls, people, seed, tokens, timeoutMs }: LoadOptions): Load {
  const seen = new Map<string, number>();
  const wrong: string[] = [];
  let running = true;
  let done = 0;
  let slowest = 0;
  const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const pause = () => wait(pauseMs);

  const lane = async (who: Person, told: Book, choose: Random, name: string): Promise<void> => {
    const living = new Map<string, Task>();
    let lastToken: string | undefined;

    /** Undefined: the connection was cut, or never came to be. */
    async function ask<Body>(what: string, method: string, path: string, body?: unknown, key?: string) {
      const begunMs = performance.now();
      const reply = await call<Body>(choose.pick(urls), method, path, {
        token: who.tokens.accessToken,
        ...(body === undefined ? {} : { body }),
        headers: {
          ...(key === undefined ? {} : { "idempotency-key": key }),
          ...(method === "GET" && tokens && lastToken !== undefined ? { "consistency-token": lastToken } : {}),
        },
      }).catch(() => undefined);
      const tookMs = performance.now() - begunMs;
      slowest = Math.max(slowest, tookMs);
      if (tookMs > timeoutMs)
        wrong.push(`${what} took ${Math.round(tookMs)} ms: ${reply?.status} ${reply?.text.slice(0, 120)}`);
      const code =
        reply !== undefined && reply.status >= 400 ? ` ${(reply.body as { code?: string } | undefined)?.code}` : "";
      const seenAs = `${what} ${reply?.status ?? "cut"}${code}`;
      seen.set(seenAs, (seen.get(seenAs) ?? 0) + 1);
      if (reply?.status === 503 && !/^\d+$/.test(reply.headers.get("retry-after") ?? ""))
        wrong.push(`${what} was 503 without Retry-After: ${reply.text}`);
      const token = reply?.headers.get("consistency-token");
      if (method !== "GET" && token !== null && token !== undefined) lastToken = token;
      return reply;
    }
    const isFault = (reply: Reply | undefined) => reply === undefined || reply.status === 503;
    const unexpected = (what: string, reply: Reply | undefined) =>
      wrong.push(`${name}: ${what} was ${reply?.status} ${reply?.text.slice(0, 300)}`);

    async function create(number: number, isKeyed: boolean): Promise<Task | undefined> {
      for (let attempt = 0; running || attempt === 0; attempt += 1) {
        const title = isKeyed ? `${name}.${number}` : `${name}.${number}.${attempt}`;
        told.sent.add(title);
        const reply = await ask<Task>("create", "POST", "/v1/tasks", { title }, isKeyed ? title : undefined);
        if (reply?.status === 201) {
          done += 1;
          told.answered.push({ taskId: reply.body.id, kind: "create", title, version: 1 });
          living.set(reply.body.id, reply.body);
          return reply.body;
        }
        if (reply?.status === 202) {
          told.pending.push({ location: reply.headers.get("location") ?? "", title });
          if (choose.chance(0.5)) return undefined;
        } else if (!isFault(reply)) {
          unexpected(`create ${title}`, reply);
          return undefined;
        }
        await pause();
      }
      return undefined;
    }

    async function patch(number: number, task: Task, isKeyed: boolean): Promise<void> {
      for (let attempt = 0; running || attempt === 0; attempt += 1) {
        const title = isKeyed ? `${name}.${number}` : `${name}.${number}.${attempt}`;
        told.sent.add(title);
        const path = `/v1/tasks/${task.id}`;
        const reply = await ask<Task>("patch", "PATCH", path, { title }, isKeyed ? title : undefined);
        if (reply?.status === 200) {
          done += 1;
          told.answered.push({ taskId: task.id, kind: "patch", title, version: reply.body.version });
          living.set(task.id, reply.body);
          return;
        }
        told.uncertain.add(task.id);
        if (reply?.status === 202) {
          told.pending.push({ location: reply.headers.get("location") ?? "", taskId: task.id, title });
          if (choose.chance(0.5)) return;
        } else if (!isFault(reply)) return void unexpected(`patch ${title}`, reply);
        await pause();
      }
    }

    /** Whatever comes of it, the task is left alone from then on. */
    async function remove(number: number, task: Task): Promise<void> {
      living.delete(task.id);
      const title = `${name}.${number}`;
      for (let attempt = 0; running || attempt === 0; attempt += 1) {
        const reply = await ask("delete", "DELETE", `/v1/tasks/${task.id}`, undefined, title);
        if (reply?.status === 204) {
          done += 1;
          told.answered.push({ taskId: task.id, kind: "delete", title });
          const read = await ask("get deleted", "GET", `/v1/tasks/${task.id}`);
          if (read?.status === 200 && read.headers.get("consistency") !== "stale")
            unexpected(`get of the deleted ${task.id}`, read);
          else if (read?.status !== 200 && read?.status !== 404 && !isFault(read)) unexpected("get deleted", read);
          return;
        }
        if (reply?.status === 202) {
          told.pending.push({ location: reply.headers.get("location") ?? "", taskId: task.id, title });
          return;
        }
        if (!isFault(reply)) return void unexpected(`delete ${title}`, reply);
        await pause();
      }
    }

    async function look(task: Task): Promise<void> {
      const reply = await ask<Task>("get", "GET", `/v1/tasks/${task.id}`);
      if (isFault(reply)) return;
      // On another instance a read model that is late may not have it yet, and says so.
      if (reply?.status === 404 && reply.headers.get("consistency") === "stale") return;
      if (reply?.status !== 200) return void unexpected(`get of ${task.id} (version ${task.version})`, reply);
      if (reply.headers.get("consistency") === "stale") return;
      if (reply.body.version < task.version)
        wrong.push(`${name}: ${task.id} was version ${task.version} and is read as ${reply.body.version}`);
      else if (reply.body.version === task.version && reply.text !== JSON.stringify(task))
        wrong.push(`${name}: ${task.id} is read as ${reply.text}, not ${JSON.stringify(task)}`);
      else if (reply.body.version > task.version && !told.uncertain.has(task.id))
        wrong.push(
          `${name}: ${task.id} is read as version ${reply.body.version}, and was never changed after ${task.version}`,
        );
    }

    /** The newest comes first. */
    async function list(newest: Task): Promise<void> {
      const reply = await ask<TaskPage>("list", "GET", "/v1/tasks?limit=5");
      if (isFault(reply)) return;
      if (reply?.status !== 200) return void unexpected("list", reply);
      if (reply.headers.get("consistency") === "stale") return;
      const found = reply.body.items.find(({ id }) => id === newest.id);
      if (found === undefined) wrong.push(`${name}: the newest, ${newest.id}, is not in the list`);
      else if (found.version < newest.version) wrong.push(`${name}: the list has ${newest.id} as it was`);
    }

    for (let number = 0; running; number += 1, await wait(betweenMs)) {
      const target = choose.chance(0.55) && living.size > 0 ? choose.pick([...living.values()]) : undefined;
      const isKeyed = choose.chance(0.5);
      if (target === undefined) {
        const made = await create(number, isKeyed);
        if (made !== undefined) await look(made);
        if (made !== undefined && choose.chance(0.2)) await list(made);
      } else if (choose.chance(0.12)) await remove(number, target);
      else {
        await patch(number, target, isKeyed);
        await look(living.get(target.id) ?? target);
      }
    }
  };

  const books = people.map(book);
  const lanes = people.map((who, index) =>
    lane(who, books[index] as Book, random(seed + index), `${seed}.${index}`).catch((error: Error) => {
      wrong.push(`lane ${index} ended: ${error.stack}`);
    }),
  );
  return {
    progress: () => done,
    seen,
    wrong,
    slowestMs: () => Math.round(slowest),
    async stop() {
      running = false;
      await Promise.all(lanes);
      await inParallel(people.length, 4, async (index) => {
        const found = await audit(
          urls[index % urls.length] as string,
          people[index] as Person,
          books[index] as Book,
        ).catch((error: Error) => [`the audit ended: ${error.stack}`]);
        wrong.push(...found);
      });
      return wrong;
    },
  };
}
