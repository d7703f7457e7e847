/** What one reads of spaces behind Kafka is as new as what one has written, on every instance, whatever is away. */
import { afterAll, afterEach, expect, test } from "bun:test";
import type { Command } from "../../actors/resources/command.ts";
import { commandOf, idOf } from "../../actors/resources/space-for-tests.ts";
import { forgetKeys } from "../../deploy/services/place.ts";
import { partitionOf } from "../../runtime/partition.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { describeWith, service } from "../system/services.ts";
import { type SpaceEdge, spaceEdge } from "./space-edge.ts";
import { type SpacePlace, spacePlace } from "./space-place.ts";

const partitions = 3;
const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);
const [ann, bob] = [idOf(11), idOf(12)] as const;

function creation(userId: string, title: string, id: string = crypto.randomUUID()): Command {
  return commandOf({ spaceId: userId, userId, operationId: id }, [
    { type: "task", kind: "create", id, body: { title } },
  ]);
}

function patch(
  spaceId: string,
  userId: string,
  of: { type?: string; id: string; body: Record<string, never> | object },
) {
  return commandOf({ spaceId, userId, operationId: crypto.randomUUID() }, [
    { type: of.type ?? "task", kind: "patch", id: of.id, body: of.body as never, expected: "*" },
  ]);
}

describeWith(
  "consistent reads of spaces",
  [await service("KAFKA_BROKERS"), await service("MONGO_URL"), await service("REDIS_URL")],
  ({ url: broker }, { url: mongoUrl }, { url: redisUrl }) => {
    const places: SpacePlace[] = [];
    const proxies: FaultProxy[] = [];
    let edges: SpaceEdge[] = [];
    async function placeOf(): Promise<SpacePlace> {
      const place = await spacePlace({ broker, mongoUrl, partitions });
      places.push(place);
      return place;
    }
    async function edgeOf(...of: Parameters<typeof spaceEdge>): Promise<SpaceEdge> {
      const edge = await spaceEdge(...of);
      edges.push(edge);
      return edge;
    }
    async function slowMongo(place: SpacePlace): Promise<{ proxy: FaultProxy; url: string }> {
      const proxy = await faultProxy(Number(new URL(mongoUrl).port));
      proxies.push(proxy);
      const url = new URL(place.mongoUrl);
      url.port = String(proxy.port);
      return { proxy, url: url.href };
    }
    afterEach(async () => {
      await Promise.all(edges.map((edge) => edge.end()));
      edges = [];
    });
    afterAll(async () => {
      for (const place of places) {
        await place.remove();
        await forgetKeys(redisUrl, `${place.servers.namespace}*`);
      }
      for (const proxy of proxies) await proxy.close();
    }, 120_000);

    test("a user's own writes are seen on each of two instances, in single reads and before lists", async () => {
      const choose = random(seed);
      const place = await placeOf();
      const writer = place.writer();
      const two = [await edgeOf(place, { redisUrl }), await edgeOf(place, { redisUrl })] as const;
      const versions = new Map<string, number>();
      for (let step = 0; step < 150; step++) {
        const writing = choose.pick(two);
        const reading = choose.pick(two);
        const userId = choose.pick([ann, bob]);
        const own = [...versions.keys()].filter((key) => key.startsWith(userId));
        if (own.length === 0 || choose.chance(0.3)) {
          const id = crypto.randomUUID();
          await writing.change(creation(userId, "new", id));
          versions.set(`${userId} ${id}`, 1);
        } else {
          const [, id = ""] = choose.pick(own).split(" ");
          const { verdict } = await writing.change(patch(userId, userId, { id, body: { title: `step ${step}` } }));
          expect(verdict).toMatchObject({ kind: "decided", fact: { verdict: "applied" } });
          versions.set(`${userId} ${id}`, (versions.get(`${userId} ${id}`) ?? 0) + 1);
        }
        const key = choose.pick([...versions.keys()].filter((each) => each.startsWith(userId)));
        const [, id = ""] = key.split(" ");
        expect({ seed, step, ...(await reading.get(userId, userId, id)), text: "" }).toEqual({
          seed,
          step,
          version: versions.get(key),
          isStale: false,
          text: "",
        });
        if (!choose.chance(0.1)) continue;
        const isWhole = async () => !(await reading.consistent.isStale({ userId, token: undefined }));
        await poll("the read model has all of it", 60_000, isWhole);
        const [stored] = await reading.reads.resources(userId, [id]);
        expect(stored?.version).toBe(versions.get(key));
      }
      await writer.end();
    }, 120_000);

    test("a worker that begins while nothing is projected knows what was told", async () => {
      const place = await placeOf();
      const { proxy, url } = await slowMongo(place);
      const writer = place.writer({ mongoUrl: url });
      const first = await edgeOf(place, { redisUrl });
      const [old, task] = [crypto.randomUUID(), crypto.randomUUID()];
      await first.change(creation(ann, "old", old));
      await first.change(creation(ann, "task", task));
      await poll("both are projected", 60_000, () => place.isDone());
      await proxy.mode("refuse");
      for (let at = 0; at < 20; at++) await first.change(patch(ann, ann, { id: task, body: { title: `title ${at}` } }));
      const second = await edgeOf(place, {});
      expect(await second.get(ann, ann, task)).toMatchObject({ version: 21, isStale: false });
      expect(await second.get(ann, ann, old)).toMatchObject({ version: 1, isStale: false });
      expect(await second.consistent.isStale({ userId: ann, token: undefined })).toBe(true);
      expect(await second.consistent.isStale({ userId: bob, token: undefined })).toBe(false);
      await proxy.mode("pass");
      await poll(
        "all is projected",
        60_000,
        async () => !(await second.consistent.isStale({ userId: ann, token: undefined })),
      );
      await writer.end();
    }, 120_000);

    test("without a consumer a creation is there on another instance, other writes are pending, and lists are marked", async () => {
      const place = await placeOf();
      const one = await edgeOf(place, { redisUrl, verdictMs: 1_500 });
      const other = await edgeOf(place, { redisUrl });
      const made = creation(ann, "certain");
      const [{ operationId }] = [made];
      const { position } = await one.log.append(made, { verdict: false });
      const document = {
        spaceId: ann,
        id: operationId,
        type: "task",
        version: 1,
        seq: 1,
        fields: { title: "certain", projectId: null },
        creatorId: ann,
        createdAt: made.at,
        updatedAt: made.at,
        undoable: 0,
      };
      await one.consistent.wrote({ command: made, position, documents: [document], isPending: false });
      for (const edge of [one, other]) {
        const found = await edge.get(ann, ann, operationId);
        expect([found.version, found.isStale, JSON.parse(found.text).title]).toEqual([1, false, "certain"]);
        expect(await edge.consistent.isStale({ userId: ann, token: undefined })).toBe(true);
      }
      const later = patch(ann, ann, { id: operationId, body: { title: "later" } });
      expect((await one.change(later)).verdict).toBeUndefined();
      expect(await other.consistent.pending(ann, later.operationId)).toBe(ann);
      expect(await one.consistent.pending(ann, later.operationId)).toBe(ann);
      expect(await other.get(ann, ann, operationId)).toMatchObject({ version: 1, isStale: true });
      await expect(
        other.get(bob, ann, operationId, { ...position, offset: position.offset + 1 }),
      ).rejects.toMatchObject({
        code: "not-yet-visible",
      });
      const writer = place.writer();
      await poll("it is decided", 60_000, async () => (await other.get(ann, ann, operationId)).version === 2);
      await writer.end();
    }, 120_000);

    test("whoever is removed is gone from the roster on every instance within a second, and whoever joins is in it", async () => {
      const place = await placeOf();
      const writer = place.writer();
      const [one, other] = [await edgeOf(place, { redisUrl }), await edgeOf(place, { redisUrl })];
      const [home, invitation] = [idOf(1), idOf(51)];
      const by = { spaceId: home, userId: ann };
      const hash = "secret";
      await one.change(commandOf(by, [{ type: "space", kind: "create", id: home, body: { name: "Home" } }]));
      expect((await other.consistent.head({ userId: ann, token: undefined }, home))?.members).toHaveLength(1);
      expect(await other.consistent.head({ userId: ann, token: undefined }, idOf(2))).toBeUndefined();
      const invite = { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: hash };
      await one.change(commandOf(by, [{ type: "invitation", kind: "create", id: invitation, body: invite }]));
      const accept = { memberId: idOf(61), tokenHash: hash };
      await one.change(
        commandOf({ spaceId: home, userId: bob }, [
          { type: "invitation", kind: "accept", id: invitation, body: accept },
        ]),
      );
      const usersAt = async (edge: SpaceEdge, userId: string) =>
        (await edge.consistent.head({ userId, token: undefined }, home))?.members.map((each) => each.userId).sort();
      expect(await usersAt(other, bob)).toEqual([ann, bob]);
      const roster = await one.consistent.head({ userId: ann, token: undefined }, home);
      const member = roster?.members.find(({ userId }) => userId === bob)?.id as string;
      const { position, verdict } = await one.change(
        commandOf(by, [{ type: "member", kind: "delete", id: member, body: {} }]),
      );
      expect(verdict).toMatchObject({ kind: "decided", fact: { verdict: "applied" } });
      expect(await usersAt(one, bob)).toEqual([ann]);
      const toldMs = performance.now();
      await poll("it is gone on the other, too", 60_000, async () => (await usersAt(other, bob))?.length === 1);
      // Hearing of it takes milliseconds; this is for a machine that does ten other things.
      expect(performance.now() - toldMs).toBeLessThan(10_000);
      expect(other.feed.mark(home)).toBeGreaterThanOrEqual(0);
      await poll("the read model has it", 60_000, async () => other.feed.mark(home) > 0);
      expect(await other.consistent.projectedSeq(home)).toBeGreaterThan(0);
      expect(partitionOf(home, partitions)).toBe(position.partition);
      await writer.end();
    }, 120_000);

    test("a worker that stood still hears what was told meanwhile before it trusts a roster, however late the read model is", async () => {
      const place = await placeOf();
      const { proxy, url } = await slowMongo(place);
      const writer = place.writer({ mongoUrl: url });
      const [one, halted] = [await edgeOf(place, { redisUrl }), await edgeOf(place, { redisUrl })];
      const [home, invitation] = [idOf(3), idOf(53)];
      const by = { spaceId: home, userId: ann };
      const roster = async (edge: SpaceEdge) =>
        (await edge.consistent.head({ userId: bob, token: undefined }, home))?.members ?? [];
      await one.change(commandOf(by, [{ type: "space", kind: "create", id: home, body: { name: "Home" } }]));
      const invite = { role: "member", expiresAt: "2027-01-01T00:00:00.000Z", tokenHash: "secret" };
      await one.change(commandOf(by, [{ type: "invitation", kind: "create", id: invitation, body: invite }]));
      await one.change(
        commandOf({ spaceId: home, userId: bob }, [
          { type: "invitation", kind: "accept", id: invitation, body: { memberId: idOf(63), tokenHash: "secret" } },
        ]),
      );
      const memberId = (await roster(halted)).find(({ userId }) => userId === bob)?.id as string;
      await poll("all is projected", 60_000, () => place.isDone());
      // What is told from here on does not get into the read model.
      await proxy.mode("refuse");
      const haltedMs = performance.now();
      const { goOn } = halted.halt();
      const removal = await one.change(commandOf(by, [{ type: "member", kind: "delete", id: memberId, body: {} }]));
      expect(removal.verdict).toMatchObject({ kind: "decided", fact: { verdict: "applied" } });
      await poll("what it has heard counts no more", 60_000, () => performance.now() - haltedMs > 1_100);
      const read = roster(halted);
      setTimeout(goOn, 50);
      expect((await read).map(({ userId }) => userId)).toEqual([ann]);
      await proxy.mode("pass");
      await writer.end();
    }, 120_000);

    test("a task is shown in a column that its project has, whatever is remembered of the two", async () => {
      const place = await placeOf();
      const writer = place.writer();
      const [one, other] = [await edgeOf(place, { redisUrl }), await edgeOf(place, { redisUrl })];
      const [project, task] = [crypto.randomUUID(), crypto.randomUUID()];
      const [first, second] = [idOf(71), idOf(72)];
      const column = (id: string) => ({ id, name: `Column ${id.slice(-2)}`, status: "todo" });
      const own = { spaceId: ann, userId: ann };
      await one.change(
        commandOf(own, [
          {
            type: "project",
            kind: "create",
            id: project,
            body: { name: "P", columns: [column(first), column(second)] },
          },
        ]),
      );
      await one.change(
        commandOf(own, [
          { type: "task", kind: "create", id: task, body: { title: "T", projectId: project, columnId: second } },
        ]),
      );
      const shown = async (edge: SpaceEdge) =>
        (JSON.parse((await edge.get(ann, ann, task)).text) as { columnId: string }).columnId;
      expect([await shown(one), await shown(other)]).toEqual([second, second]);
      const third = await edgeOf(place, { redisUrl });
      await poll("all is projected", 60_000, () => place.isDone());
      expect(await shown(third)).toBe(second);
      await one.change(patch(ann, ann, { type: "project", id: project, body: { columns: [column(first)] } }));
      expect([await shown(one), await shown(other), await shown(third)]).toEqual([first, first, first]);
      await writer.end();
    }, 120_000);

    test("a worker that has missed something notices, and forgets what it can no longer be sure of", async () => {
      const place = await placeOf();
      const writer = place.writer();
      const [one, deaf] = [await edgeOf(place, {}), await edgeOf(place, {})];
      const task = crypto.randomUUID();
      await one.change(creation(ann, "first", task));
      await poll("it has heard of it", 60_000, async () => (await deaf.get(ann, ann, task)).version === 1);
      deaf.isDeaf = true;
      await one.change(patch(ann, ann, { id: task, body: { title: "second" } }));
      await poll("it is projected", 60_000, () => place.isDone());
      expect(await deaf.get(bob, ann, task)).toMatchObject({ version: 1 });
      deaf.isDeaf = false;
      await one.change(creation(ann, "another"));
      await poll("it knows what it has missed", 60_000, async () => (await deaf.get(bob, ann, task)).version === 2);
      await writer.end();
    }, 120_000);
  },
);
