/** A team at work in some spaces through everything that happens: each change under a key, until it has a verdict, and all that is seen is noted. */
import { call, type Person, type Reply } from "./client.ts";
import { poll } from "./poll.ts";
import { type Random, random } from "./random.ts";
import type { Batch, Fact, Resource } from "./spaces.ts";
import type { Acknowledged, Sight, Stay, TeamRecord } from "./team-checker.ts";

export type Seen = {
  readonly acknowledged: Acknowledged[];
  readonly verdicts: Map<string, string[]>;
  readonly batches: TeamRecord["batches"][number][];
  readonly stays: Stay[];
  readonly sights: Sight[];
  /** By kind of answer, how many. */
  readonly counts: Map<string, number>;
};

export type Mate = { readonly person: Person; token: string };

type Body = Partial<Resource & Batch & { token: string | null; code: string }>;
const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

export function team(urls: readonly string[], seen: Seen) {
  /** Undefined: the connection was cut, or the session could not be renewed now. */
  async function ask(
    mate: Mate,
    url: string,
    method: string,
    path: string,
    options: { body?: unknown; key?: string } = {},
  ) {
    const { body, key } = options;
    const headers = key === undefined ? {} : { "idempotency-key": key };
    const send = () =>
      call<Body>(url, method, path, { token: mate.token, headers, ...(body === undefined ? {} : { body }) }).catch(
        () => undefined,
      );
    let reply = await send();
    if (reply?.status === 401) {
      const { email, password } = mate.person;
      const again = await call<{ accessToken: string }>(url, "POST", "/v1/auth/login", {
        body: { email, password },
      }).catch(() => undefined);
      if (again?.status !== 200) return undefined;
      mate.token = again.body.accessToken;
      reply = await send();
    }
    const what = `${method} ${reply?.status ?? "cut"}`;
    seen.counts.set(what, (seen.counts.get(what) ?? 0) + 1);
    return reply;
  }

  /** Sent again under its key, here and there, until there is a verdict. */
  async function decided(
    mate: Mate,
    choose: Random,
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ reply: Reply<Body>; key: string }> {
    const key = crypto.randomUUID();
    let reply: Reply<Body> | undefined;
    await poll(`${method} ${path} has a verdict`, 240_000, async () => {
      reply = await ask(mate, choose.pick(urls), method, path, { body, key });
      return reply !== undefined && reply.status !== 202 && reply.status < 500;
    });
    return { reply: reply as Reply<Body>, key };
  }

  const textOf = ({ status, body }: Reply<Body>) =>
    `${status} ${body?.operationId ?? body?.id ?? body?.code} ${body?.seq ?? body?.version ?? ""}`;

  async function change(mate: Mate, choose: Random, method: string, path: string, body: unknown): Promise<Reply<Body>> {
    const { reply, key } = await decided(mate, choose, method, path, body);
    const told = [textOf(reply)];
    seen.verdicts.set(key, told);
    if (choose.chance(0.2)) {
      const again = await ask(mate, choose.pick(urls), method, path, { body, key });
      if (again !== undefined && again.status !== 202 && again.status < 500) told.push(textOf(again));
    }
    return reply;
  }

  /** Until `isOver`: tasks made, renamed, moved and made in batches. */
  async function work(mate: Mate, spaces: readonly string[], isOver: () => boolean, seed: number): Promise<void> {
    const choose = random(seed);
    const tasks = new Map(spaces.map((spaceId) => [spaceId, [] as string[]]));
    for (let number = 0; !isOver(); number++) {
      const spaceId = choose.pick(spaces);
      const path = `/v1/spaces/${spaceId}`;
      const known = tasks.get(spaceId) as string[];
      const title = `${seed}.${number}`;
      const what = choose.int(10);
      if (what < 2 || known.length < 3) {
        const { status, body } = await change(mate, choose, "POST", `${path}/tasks`, { title });
        if (status !== 201 || body.id === undefined) throw new Error(`A creation was answered ${status} ${body?.code}`);
        known.push(body.id);
        seen.acknowledged.push({ spaceId, id: body.id, version: body.version as number, title });
      } else if (what < 6) {
        const id = choose.pick(known);
        const { status, body } = await change(mate, choose, "PATCH", `${path}/tasks/${id}`, { title });
        if (status !== 200) throw new Error(`A change was answered ${status} ${body?.code}`);
        seen.acknowledged.push({ spaceId, id, version: body.version as number, title });
      } else if (what < 8) {
        const position = { [choose.pick(["after", "before"])]: choose.pick(known) };
        const { status, body } = await change(mate, choose, "PATCH", `${path}/tasks/${choose.pick(known)}`, {
          position,
        });
        if (status !== 200) throw new Error(`A move was answered ${status} ${body?.code}`);
      } else {
        const ids = [0, 1, 2].map(() => crypto.randomUUID());
        seen.batches.push({ spaceId, ids });
        const changes = ids.map((id, index) => ({
          type: "task",
          kind: "create",
          id,
          body: { title: `${title}.${index}` },
        }));
        const { status, body } = await change(mate, choose, "POST", `${path}/batch`, { changes });
        if (status !== 200) throw new Error(`A batch was answered ${status} ${body?.code}`);
        for (const [index, id] of ids.entries())
          seen.acknowledged.push({ spaceId, id, version: 1, title: `${title}.${index}` });
      }
    }
  }

  async function look(mate: Mate, choose: Random, spaceId: string): Promise<void> {
    const ofSpace = ["", "/tasks", "/members", "/facts"].map((each) => `/v1/spaces/${spaceId}${each}`);
    const path = choose.pick([...ofSpace, "/v1/spaces", "/v1/me/tasks"]);
    const sentMs = performance.now();
    const reply = await ask(mate, choose.pick(urls), "GET", path);
    const answeredMs = performance.now();
    seen.sights.push({
      userId: mate.person.id,
      spaceId,
      sentMs,
      answeredMs,
      isSeen: reply?.status === 200 && reply.text.includes(spaceId),
    });
  }

  /** Somebody who joins a space and is removed from it, again and again, and looks all the time. */
  async function visit(guest: Mate, host: Mate, spaceId: string, isOver: () => boolean, seed: number): Promise<void> {
    const choose = random(seed);
    let isGone = false;
    const looking = (async () => {
      while (!isGone) {
        await look(guest, choose, spaceId);
        await pause();
      }
    })();
    try {
      while (!isOver()) {
        const { id } = await join(guest, host, spaceId, choose);
        for (let looks = choose.int(20); looks > 0 && !isOver(); looks--) await pause();
        await decided(host, choose, "DELETE", `/v1/spaces/${spaceId}/members/${id}`);
        const untilMs = performance.now();
        seen.stays.push({ ...(seen.stays.pop() as Stay), untilMs });
        for (let looks = choose.int(60); looks > 0 && !isOver(); looks--) await pause();
      }
    } finally {
      isGone = true;
      await looking;
    }
  }

  async function join(guest: Mate, host: Mate, spaceId: string, choose: Random): Promise<{ id: string }> {
    let token: string | null | undefined;
    // Only the first answer tells the token.
    await poll("there is an invitation with a token", 240_000, async () => {
      const { reply } = await decided(host, choose, "POST", `/v1/spaces/${spaceId}/invitations`, { role: "member" });
      token = reply.body?.token;
      return typeof token === "string";
    });
    seen.stays.push({ userId: guest.person.id, spaceId, fromMs: performance.now() });
    const { reply } = await decided(guest, choose, "POST", "/v1/invitations/accept", { token });
    if (reply.status !== 201 && reply.status !== 200)
      throw new Error(`An invitation was answered ${reply.status} ${reply.text}`);
    return { id: reply.body.id as string };
  }

  /** All of a list or of the facts, as new as what is decided. */
  async function whole(mate: Mate, choose: Random, spaceId: string): Promise<{ facts: Fact[]; tasks: Resource[] }> {
    const read = async <Page>(path: string): Promise<Page> => {
      let page: Page | undefined;
      await poll(`${path} is read`, 240_000, async () => {
        const reply = await ask(mate, choose.pick(urls), "GET", path);
        if (reply?.status === 200 && reply.headers.get("consistency") === null) page = reply.body as Page;
        return page !== undefined;
      });
      return page as Page;
    };
    const facts: Fact[] = [];
    for (let seq = 1; facts.length < seq; ) {
      const page = await read<{ items: Fact[]; seq: number }>(
        `/v1/spaces/${spaceId}/facts?after=${facts.at(-1)?.seq ?? 0}&limit=1000`,
      );
      facts.push(...page.items);
      seq = page.seq;
      if (page.items.length === 0) break;
    }
    const tasks: Resource[] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const at: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
      const page: { items: Resource[]; nextCursor: string | null } = await read(
        `/v1/spaces/${spaceId}/tasks?sort=createdAt&limit=100${at}`,
      );
      tasks.push(...page.items);
      cursor = page.nextCursor;
    }
    return { facts, tasks };
  }

  return { decided, work, visit, join, whole };
}
