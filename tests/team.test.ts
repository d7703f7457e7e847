/** Many people in one space at the same moment: one order, always an owner, and each invitation as often as it says. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { inParallel, type Person, person } from "./system/client.ts";
import {
  apart,
  type Deployment,
  oneProcess,
  type Place,
  placeOn,
  type ServerName,
  servers,
} from "./system/deployments.ts";
import { poll } from "./system/poll.ts";
import { random as randomOf } from "./system/random.ts";
import { cleanUp } from "./system/server.ts";
import { describeWith } from "./system/services.ts";
import { atWork, type Fact, type Resource } from "./system/spaces.ts";

afterAll(cleanUp);

type Page = { items: Resource[]; nextCursor: string | null };
const deadlineMs = 300_000;
const seed = Number(process.env.TEAM_SEED ?? Math.floor(Math.random() * 2 ** 31));

for (const { name, needed } of [
  { name: "a team in one process", needed: [] },
  { name: "a team on servers", needed: [await servers()] },
])
  describeWith(name, needed, (...[urls]: readonly Record<ServerName, string>[]) => {
    let deployment: Deployment;
    let place: Place | undefined;
    beforeAll(async () => {
      place = urls === undefined ? undefined : await placeOn(urls);
      deployment = place === undefined ? await oneProcess("bun") : await apart("bun", place.env);
      await atWork(await person(deployment.urls[0]));
    }, deadlineMs);
    afterAll(async () => {
      await deployment?.end();
      await place?.remove();
    }, deadlineMs);

    /** Spread over all processes that serve tasks. */
    const people = (count: number): Promise<Person[]> =>
      Promise.all(
        Array.from({ length: count }, (_, index) => person(deployment.urls[index % deployment.urls.length] as string)),
      );

    /** The verdict, however long it takes: sent again under its key. */
    async function decided(who: Person, method: string, path: string, body?: unknown) {
      const options = { headers: { "idempotency-key": crypto.randomUUID() }, ...(body === undefined ? {} : { body }) };
      let reply = await who.call<Resource & { code?: string }>(method, path, options);
      await poll(`${method} ${path} has a verdict`, 60_000, async () => {
        if (reply.status !== 202 && reply.status !== 503) return true;
        reply = await who.call(method, path, options);
        return false;
      });
      return reply;
    }
    async function sure<Body = Resource>(who: Person, status: number, method: string, path: string, body?: unknown) {
      const reply = await decided(who, method, path, body);
      expect(reply.status, `${method} ${path}: ${reply.text}`).toBe(status);
      return reply.body as Body;
    }
    const newSpace = async (owner: Person) => (await sure(owner, 201, "POST", "/v1/spaces", { name: "Ours" })).id;
    async function invite(spaceId: string, owner: Person, role: string): Promise<string> {
      const path = `/v1/spaces/${spaceId}/invitations`;
      let token: string | null = null;
      // A repeat does not tell the token again.
      await poll("there is an invitation with a token", 60_000, async () => {
        token = (await sure<{ token: string | null }>(owner, 201, "POST", path, { role })).token;
        return token !== null;
      });
      return token as unknown as string;
    }
    const join = async (spaceId: string, owner: Person, who: Person, role = "member") =>
      (await sure(who, 201, "POST", "/v1/invitations/accept", { token: await invite(spaceId, owner, role) })).id;
    /** All of them, once the read model has as many. */
    async function factsOf(who: Person, spaceId: string, least: number): Promise<Fact[]> {
      let facts: Fact[] = [];
      await poll("the read model has all facts", 120_000, async () => {
        const last = facts.at(-1)?.seq ?? 0;
        const path = `/v1/spaces/${spaceId}/facts?after=${last}&limit=1000`;
        const page = await sure<{ items: Fact[]; seq: number }>(who, 200, "GET", path);
        facts = [...facts, ...page.items];
        return facts.length >= least && facts.length >= page.seq;
      });
      return facts;
    }

    test(
      `1,000 moves in one column by 16 people give one order, no two equal ranks and none longer than 100 characters (TEAM_SEED=${seed})`,
      async () => {
        const random = randomOf(seed);
        const team = await people(16);
        const [ada] = team as [Person, ...Person[]];
        const spaceId = await newSpace(ada);
        const path = `/v1/spaces/${spaceId}`;
        for (const each of team.slice(1)) await join(spaceId, ada, each);
        const projectId = (await sure(ada, 201, "POST", `${path}/projects`, { name: "House" })).id;
        const made = await sure<{ items: Resource[]; seq: number }>(ada, 200, "POST", `${path}/batch`, {
          changes: Array.from({ length: 40 }, (_, index) => ({
            type: "task",
            kind: "create",
            body: { title: `Task ${index}`, projectId },
          })),
        });
        const ids = made.items.map(({ id }) => id);
        // Half of the moves are into the middle of one gap, where ranks become long.
        const gap = { after: ids[0] as string, before: ids[1] as string };
        let moves = 0;
        await inParallel(1_000, 16, async (index) => {
          const who = team[index % team.length] as Person;
          const side = random.int(2) === 0 ? "after" : "before";
          const isInGap = random.int(2) === 0;
          const others = ids.filter((id) => id !== gap.after && id !== gap.before);
          const id = others[random.int(others.length)] as string;
          const beside = isInGap
            ? gap[side]
            : (ids.filter((each) => each !== id)[random.int(ids.length - 1)] as string);
          if (isInGap) gap[side] = id;
          const reply = await decided(who, "PATCH", `${path}/tasks/${id}`, { position: { [side]: beside } });
          expect(reply.status, reply.text).toBe(200);
          moves += 1;
        });
        expect(moves).toBe(1_000);

        const facts = await factsOf(ada, spaceId, 3);
        expect(facts.map(({ seq }) => seq)).toEqual(facts.map((_, index) => index + 1));
        const ranks = new Map<string, string>();
        const versions = new Map<string, number>();
        for (const { changes } of facts)
          for (const { type, id, version, fields } of changes) {
            expect(version).toBe((versions.get(id) ?? 0) + 1);
            versions.set(id, version);
            if (type === "task" && fields.rank !== undefined) ranks.set(id, fields.rank.to as string);
          }
        const lengths = [...ranks.values()].map(({ length }) => length);
        expect(new Set(ranks.values()).size).toBe(ids.length);
        expect(Math.max(...lengths)).toBeLessThanOrEqual(100);
        expect(
          facts.filter(({ changes }) => changes.length > 1 && changes.every(({ kind }) => kind === "changed")).length,
        ).toBeGreaterThan(0);
        const order = ids.toSorted((one, other) =>
          (ranks.get(one) as string) < (ranks.get(other) as string) ? -1 : 1,
        );
        for (const who of team)
          await poll("the list has what was decided", 60_000, async () => {
            const page = await sure<Page>(who, 200, "GET", `${path}/tasks?project=${projectId}&sort=rank&limit=100`);
            if (page.items.some(({ id, version }) => version !== versions.get(id))) return false;
            expect(page.items.map(({ id }) => id)).toEqual(order);
            return true;
          });
      },
      deadlineMs,
    );

    test(
      "30 demotions, leaves and removals at once always leave an owner",
      async () => {
        const team = await people(8);
        for (let round = 0; round < 4; round++) {
          const [ada] = team as [Person, ...Person[]];
          const spaceId = await newSpace(ada);
          const path = `/v1/spaces/${spaceId}`;
          const members = new Map<string, string>();
          for (const each of team.slice(1)) members.set(each.id, await join(spaceId, ada, each, "admin"));
          for (const id of members.values()) await sure(ada, 200, "PATCH", `${path}/members/${id}`, { role: "owner" });
          const begun = await factsOf(ada, spaceId, 1 + 3 * 7);
          const listed = await sure<Page>(ada, 200, "GET", `${path}/members`);
          members.set(ada.id, listed.items.find(({ userId }) => userId === ada.id)?.id as string);
          const ownersAll = [...members.values()];
          const replies = await Promise.all(
            Array.from({ length: 30 }, (_, index) => {
              const who = team[index % team.length] as Person;
              const own = members.get(who.id) as string;
              const other = ownersAll[(index * 3 + round + 1) % ownersAll.length] as string;
              const kind = (index + round) % 3;
              if (kind === 0) return decided(who, "PATCH", `${path}/members/${own}`, { role: "member" });
              if (kind === 1) return decided(who, "DELETE", `${path}/members/${own}`);
              return decided(who, "DELETE", `${path}/members/${other}`);
            }),
          );
          for (const { status, text } of replies) expect([200, 204, 403, 404, 409], text).toContain(status);
          // As the facts say, after each of them.
          const owners = new Map<string, string>();
          const seen = await Promise.all(team.map((who) => decided(who, "GET", path)));
          const witness = team.find((_, index) => seen[index]?.status === 200);
          if (witness === undefined) throw new Error("nobody is left to see the space");
          for (const { changes } of await factsOf(witness, spaceId, begun.length)) {
            for (const { type, id, deleted, fields } of changes) {
              if (type !== "member") continue;
              if (deleted === true) owners.delete(id);
              else if (fields.role !== undefined) owners.set(id, fields.role.to as string);
            }
            expect([...owners.values()]).toContain("owner");
          }
          // Those who are left as owners all leave at once: all but one can.
          const left = team.filter(({ id }) => owners.get(members.get(id) as string) === "owner");
          const ends = await Promise.all(
            left.map((who) => decided(who, "DELETE", `${path}/members/${members.get(who.id)}`)),
          );
          expect(ends.filter(({ status }) => status === 409)).toHaveLength(1);
          // A repeat by someone who has gone is told no more.
          expect(ends.filter(({ status }) => status === 204 || status === 404)).toHaveLength(left.length - 1);
          expect(ends.find(({ status }) => status === 409)?.body.code).toBe("last-owner");
        }
      },
      deadlineMs,
    );

    test(
      "of 100 who accept an invitation for one at once, one joins",
      async () => {
        const [ada, ...others] = (await people(21)) as [Person, ...Person[]];
        const spaceId = await newSpace(ada);
        const token = await invite(spaceId, ada, "member");
        // Each of them five times, under keys of their own.
        const replies = await Promise.all(
          Array.from({ length: 100 }, async (_, index) => {
            const who = others[index % others.length] as Person;
            return { who, reply: await decided(who, "POST", "/v1/invitations/accept", { token }) };
          }),
        );
        const joined = new Set(replies.flatMap(({ who, reply }) => (reply.status === 404 ? [] : [who.id])));
        expect(joined.size).toBe(1);
        expect(replies.filter(({ reply }) => reply.status === 201)).toHaveLength(1);
        // And by the one who is a member already, it changes nothing.
        expect(replies.filter(({ reply }) => reply.status === 200)).toHaveLength(4);
        expect(replies.filter(({ reply }) => reply.status === 404)).toHaveLength(95);
        const facts = await factsOf(ada, spaceId, 3);
        const members = facts.flatMap(({ changes }) =>
          changes.filter(({ type, kind }) => type === "member" && kind === "created"),
        );
        expect(members.map(({ fields }) => fields.userId?.to as string)).toEqual([ada.id, ...joined]);
      },
      deadlineMs,
    );
  });
