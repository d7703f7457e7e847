/**
 * How often a read asks a store, counted on the wire between a running task process and real servers: once for a hit, twice for a miss, three times
 * for a list at most.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { keys } from "../../actors/redis/task-cache.ts";
import { forgetKeys } from "../../deploy/services/place.ts";
import { createTask, type Person, person, type TaskPage } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { type ListeningProxy, listeningProxy } from "../system/listening-proxy.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, type System, start } from "../system/server.ts";
import { describeWith } from "../system/services.ts";

afterAll(cleanUp);

describeWith("a task process", [await servers()], (urls) => {
  let place: Place;
  let redis: ListeningProxy;
  let mongo: ListeningProxy;
  let processes: System[] = [];
  let somebody: Person;
  const ids: string[] = [];

  beforeAll(async () => {
    place = await placeOn(urls);
    redis = await listeningProxy(urls.REDIS_URL);
    mongo = await listeningProxy(place.env.MONGO_URL ?? "");
    const { DATABASE_URL = "", ...others } = place.env;
    const { TT_NAMESPACE = "" } = others;
    const auth = await start({ env: { ROLE: "auth", DATABASE_URL, TT_NAMESPACE } });
    // The keeper and the writer ask by themselves, and are not counted.
    const consumer = await start({ env: { ROLE: "consumer", ...others } });
    const watched = { ...others, REDIS_URL: redis.url, MONGO_URL: mongo.url };
    const task = await start({ env: { ROLE: "task", AUTH_URL: auth.url, ...watched } });
    processes = [task, consumer, auth];
    somebody = await person(task.url);
    for (let each = 0; each < 6; each++)
      ids.push((await createTask(somebody, { title: `a task ${each}`, dueAt: each < 3 ? instant : null })).id);
    // The scripts are known to Redis and the connections are there before anything is counted; a list waits for what was written.
    await somebody.call("GET", "/v1/tasks");
    await forget();
    await Promise.all(ids.map((id) => somebody.call("GET", `/v1/tasks/${id}`)));
  }, 120_000);
  afterAll(async () => {
    for (const each of processes) await each.end("SIGTERM");
    await Promise.all([redis?.close(), mongo?.close()]);
    await place?.remove();
  }, 120_000);

  const instant = "2030-01-01T00:00:00.000Z";
  const forget = () => forgetKeys(urls.REDIS_URL, `${place.env.TT_NAMESPACE}.${keys.task("*")}`);

  /** The commands that each store gets from the start of a read to the end of all that it has begun. */
  async function asked(path: string): Promise<{ body: unknown; redis: readonly string[]; mongo: readonly string[] }> {
    const still = () => Math.min(redis.quietMs(), mongo.quietMs()) > 150;
    await poll("what was begun before has ended", 60_000, still);
    redis.forget();
    mongo.forget();
    const reply = await somebody.call("GET", path);
    expect(reply.status, reply.text).toBe(200);
    await poll("nothing more comes", 60_000, still);
    return { body: reply.body, redis: redis.heard(), mongo: mongo.heard() };
  }

  test("a task that Redis has is one round trip to Redis", async () => {
    for (const id of ids) expect(await asked(`/v1/tasks/${id}`)).toMatchObject({ redis: ["evalsha"], mongo: [] });
  });

  test("a task that Redis has not is one to Redis and one to MongoDB; it is put into Redis by a third that nobody waits for", async () => {
    await forget();
    const [id = ""] = ids;
    expect(await asked(`/v1/tasks/${id}`)).toMatchObject({ redis: ["evalsha", "evalsha"], mongo: ["find"] });
    expect(await asked(`/v1/tasks/${id}`)).toMatchObject({ redis: ["evalsha"], mongo: [] });
  });

  test("a list is one round trip to Redis and one to MongoDB, two where tasks without the sort's value come last", async () => {
    for (const path of ["/v1/tasks", "/v1/tasks?sort=-priority&limit=2", "/v1/tasks?q=task&status=todo"])
      expect(await asked(path), path).toMatchObject({ redis: ["hgetall"], mongo: ["find"] });
    const { body, ...counted } = await asked("/v1/tasks?sort=dueAt&limit=5");
    expect((body as TaskPage).items.map(({ dueAt }) => dueAt)).toEqual([instant, instant, instant, null, null]);
    expect(counted).toEqual({ redis: ["hgetall"], mongo: ["find", "find"] });
  });

  test("a history is one round trip to Redis and two to MongoDB", async () => {
    const { body: _, ...counted } = await asked(`/v1/tasks/${ids[0]}/history`);
    expect(counted).toEqual({ redis: ["hgetall"], mongo: ["find", "find"] });
  });
});
