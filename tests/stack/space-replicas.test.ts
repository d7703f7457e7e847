/** Lists from replicas of a space, on every instance, whatever is late or away. */
import { expect, test } from "bun:test";
import { Problem } from "../../actors/model/problem.ts";
import type { Intent } from "../../actors/resources/command.ts";
import { registry, typeNamed } from "../../actors/resources/registry.ts";
import { commandOf, idOf } from "../../actors/resources/space-for-tests.ts";
import type { PageEnd, SpaceReplica } from "../../actors/task/ports.ts";
import { cursorAfter, type ResourceQuery, resourceQuery } from "../../actors/task/resource-query.ts";
import { forgetKeys } from "../../deploy/services/place.ts";
import { faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { describeWith, service } from "../system/services.ts";
import { type SpaceEdge, spaceEdge } from "./space-edge.ts";
import { spacePlace } from "./space-place.ts";

const [ann, bob] = [idOf(11), idOf(12)] as const;
const reader = { userId: ann, token: undefined };
const stranger = { userId: bob, token: undefined };

function query(parameters: string) {
  const of = { userId: ann, spaceIds: [ann] };
  return resourceQuery(typeNamed(registry, "task"), of, new URLSearchParams(`sort=title&${parameters}`));
}

function changing(kind: "create" | "patch", id: string, title: string) {
  const intent = { type: "task", kind, id, body: { title }, ...(kind === "patch" ? { expected: "*" } : {}) };
  const operationId = kind === "create" ? id : crypto.randomUUID();
  return commandOf({ spaceId: ann, userId: ann, operationId }, [intent as Intent]);
}

describeWith(
  "a replica of a space",
  [await service("KAFKA_BROKERS"), await service("MONGO_URL"), await service("REDIS_URL")],
  ({ url: broker }, { url: mongoUrl }, { url: redisUrl }) => {
    test("has on the pages of a list what was told, though nothing is projected, and no list while the read model is away", async () => {
      const place = await spacePlace({ broker, mongoUrl, partitions: 3 });
      const proxies = await Promise.all([1, 2].map(() => faultProxy(Number(new URL(mongoUrl).port))));
      const [writing, reading] = proxies as [(typeof proxies)[0], (typeof proxies)[0]];
      const through = ({ port }: { port: number }) =>
        Object.assign(new URL(place.mongoUrl), { port: String(port) }).href;
      const writer = place.writer({ mongoUrl: through(writing) });
      const one = await spaceEdge(place, { redisUrl, mongoUrl: through(reading) });
      const other = await spaceEdge(place, { redisUrl });
      const ids = Array.from({ length: 3 }, () => crypto.randomUUID());
      for (const [at, id] of ids.entries()) await one.change(changing("create", id, `task ${at}`));
      const first = query("limit=2");
      await poll("both have a replica", 60_000, async () => {
        const found = await Promise.all([one, other].map((edge) => edge.consistent.replica(reader, first)));
        return found.every((each) => each?.isStale === false);
      });

      await writing.mode("refuse");
      await one.change(changing("patch", ids[0] as string, "task 9"));
      await one.change(changing("create", crypto.randomUUID(), "task 8"), { isCertain: true });
      const listed = async (edge: SpaceEdge, page: ResourceQuery) => {
        const found = await edge.consistent.replica(reader, page);
        return found && [found.isStale, found.space.list(page).map(({ text }) => JSON.parse(text).title)];
      };
      for (const edge of [one, other])
        expect(await listed(edge, first)).toEqual([false, ["task 1", "task 2", "task 8"]]);
      const { space } = (await one.consistent.replica(reader, first)) as { space: SpaceReplica };
      const end = space.list(first)[1]?.end as PageEnd;
      const cursor = cursorAfter({ ...first, begunMs: space.atMs(), seenOffset: space.position() }, end);
      const second = query(`limit=2&cursor=${cursor}`);
      expect(await listed(other, second)).toEqual([false, ["task 8", "task 9"]]);
      // Once more has happened the next page is the read model's, which must have as much: what moved behind the first page is on it.
      await other.change(changing("patch", ids[1] as string, "task 0"));
      expect(await listed(one, second)).toBe(undefined);
      const seen = { spaceId: ann, offset: second.seenOffset as number };
      expect(await other.consistent.isStale(stranger)).toBe(false);
      expect(await other.consistent.isStale(stranger, seen)).toBe(true);
      await writing.mode("pass");
      await poll("all is projected", 60_000, async () => !(await one.consistent.isStale(reader)));
      expect(await other.consistent.isStale(stranger, seen)).toBe(false);

      await reading.mode("refuse");
      await poll("lists are refused", 30_000, async () => {
        const found = await Promise.resolve(one.consistent.replica(reader, first)).catch((error: unknown) => error);
        return found instanceof Problem && found.code === "read-model-unavailable";
      });
      await Promise.all([one.end(), other.end(), writer.end()]);
      await place.remove();
      await forgetKeys(redisUrl, `${place.servers.namespace}*`);
      for (const proxy of proxies) await proxy.close();
    }, 120_000);
  },
);
