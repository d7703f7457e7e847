/** Imports whose changes are decided late, or are read back late: each is whole all the same, and nobody hears of a failure. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { type Person, person } from "../system/client.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { type Member, member } from "../system/member.ts";
import { keptOf, moving } from "../system/moving-world.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, temporaryFolder } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { atWork, newSpace, ok } from "../system/spaces.ts";

const deadlineMs = 240_000;
/** Of each message between the writer and MongoDB, each way: a fact is decided in a second or so, and can be read some seconds later. */
const slowMs = 500;
/** The writer, which reads from there what it decides on, decides sooner than that. */
const verdictMs = 5_000;
const idOperation = 'http_requests_total{method="GET",route="/v1/spaces/:spaceId/operations/:id"';
const pendingVerdicts = 'verdict_duration_seconds_count{verdict="pending"}';

describeWith("two imports of one file at once", [await servers()], (urls) => {
  let place: Place;
  let [proxy, auth, consumer, task]: [FaultProxy?, Member?, Member?, Member?] = [];
  let ada: Person;
  let eve: Person;
  let from = "";
  let file = "";

  beforeAll(async () => {
    place = await placeOn(urls);
    const { DATABASE_URL = "", MONGO_URL = "", ...others } = place.env;
    const mongo = new URL(MONGO_URL);
    proxy = await faultProxy(Number(mongo.port));
    const slowed = MONGO_URL.replace(`:${mongo.port}`, `:${proxy.port}`);
    auth = await member({ ...others, DATABASE_URL, ROLE: "auth" });
    consumer = await member({ ...others, MONGO_URL: slowed, ROLE: "consumer" });
    task = await member({
      ...others,
      MONGO_URL,
      ROLE: "task",
      AUTH_URL: auth.url,
      TT_VERDICT_TIMEOUT_MS: `${verdictMs}`,
    });
    for (const each of [auth, consumer, task]) await each.start();
    for (const each of [auth, consumer, task]) await each.ready();
    [ada, eve] = [await person(task.url), await person(task.url)];
    await atWork(ada);
    from = await smallSpace(ada);
    file = join(temporaryFolder(), "small.ndjson");
    expect((await moving(ada, task.url, ["export", "--space", from, file])).code).toBe(0);
  }, deadlineMs);
  afterAll(async () => {
    consumer?.send("SIGCONT");
    await proxy?.mode("pass");
    for (const each of [task, consumer, auth]) expect((await each?.end("SIGTERM"))?.code).toBe(0);
    await proxy?.close();
    await place?.remove();
    await cleanUp();
  }, deadlineMs);

  /** The sum of the samples whose line begins so. */
  async function metric(begin: string): Promise<number> {
    const lines = (await (await fetch(`${task?.admin}/metrics`)).text()).split("\n");
    return lines
      .filter((line) => line.startsWith(begin))
      .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
  }

  /** Runs two, and looks at what both did. `meanwhile` begins with them. */
  async function importTwice(args: string[], meanwhile: () => Promise<void>): Promise<void> {
    const running = Promise.all([0, 1].map(() => moving(eve, task?.url ?? "", ["import", ...args, file])));
    const [both] = await Promise.all([running, meanwhile()]);
    // A server that is late may be told of, and how far it is.
    const told = both.map(({ err }) => err.replaceAll(/^([\d,]+ of|Waiting for) .*\n/gm, ""));
    expect(both.map(({ code, out }, at) => ({ code, isAllTaken: !out.includes("Not taken"), err: told[at] }))).toEqual(
      Array(2).fill({ code: 0, isAllTaken: true, err: "" }),
    );
    const [there, other] = both.map(({ out }) => /^Imported ".*" into ([0-9a-f-]{36}): /m.exec(out)?.[1]);
    expect(other).toBe(there as string);
    const before = await keptOf(ada, from);
    const made = both.flatMap(({ out }) => [...out.matchAll(/(\d+) tasks?\b/g)].map(([, count]) => Number(count)));
    expect(made.reduce((sum, count) => sum + count, 0)).toBe(Object.keys(before.task as object).length);
    const wanted = JSON.stringify({ ...before, orders: {} }).replaceAll(ada.id, eve.id);
    await poll("the read model has all of it", deadlineMs, async () => {
      const { headers } = await eve.call("GET", `/v1/spaces/${there}/facts`);
      return headers.get("consistency") === null;
    });
    expect({ ...(await keptOf(eve, there ?? "")), orders: {} }).toEqual(JSON.parse(wanted));
  }

  /** Halts the writer until both have a change in the log that nobody has decided, and have asked what became of it. */
  async function decideLate(): Promise<void> {
    const [pending, asked] = [await metric(pendingVerdicts), await metric(idOperation)];
    await poll("both wait for a verdict", deadlineMs, async () => (await metric(pendingVerdicts)) >= pending + 2);
    await poll("both have asked for it", deadlineMs, async () => (await metric(idOperation)) >= asked + 2);
    consumer?.send("SIGCONT");
  }

  test(
    "into a new space while nobody decides make it once, and go on when somebody does",
    async () => {
      consumer?.send("SIGSTOP");
      await importTwice([], decideLate);
    },
    deadlineMs,
  );

  test(
    "into one space while nobody decides: the one whose first change is refused late goes on with the next",
    async () => {
      const there = await newSpace(eve, "There");
      // Its head is read before the writer is halted.
      await ok(eve, 200, "GET", `/v1/spaces/${there}/facts`);
      consumer?.send("SIGSTOP");
      await importTwice(["--space", there], decideLate);
    },
    deadlineMs,
  );

  test(
    "while the read model is seconds behind its writer take what the other has made as made",
    async () => {
      await proxy?.mode("slow", { delayMs: slowMs });
      // The read model does not know it when the imports begin.
      const there = await newSpace(eve, "Behind");
      await importTwice(["--space", there], async () => undefined);
      await proxy?.mode("pass");
    },
    deadlineMs,
  );
});

/** Something that is closed, something that is deleted, and what belongs to these. */
async function smallSpace(owner: Person): Promise<string> {
  const spaceId = await newSpace(owner, "Small");
  const base = `/v1/spaces/${spaceId}`;
  const make = async (plural: string, body: object) =>
    (await ok(owner, 201, "POST", `${base}/${plural}`, body)).body.id;
  const projectId = await make("projects", { name: "Archived" });
  const parentId = await make("tasks", { title: "Above", projectId });
  await make("tasks", { title: "Below", projectId, parentId });
  const taskId = await make("tasks", { title: "Deleted" });
  await make("comments", { taskId, body: "Of a deleted one" });
  await ok(owner, 204, "DELETE", `${base}/tasks/${taskId}`);
  await ok(owner, 200, "PATCH", `${base}/projects/${projectId}`, { archived: true });
  return spaceId;
}
