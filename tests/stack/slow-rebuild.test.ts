/** A rebuild on a MongoDB that takes longer for one step than a serving process would wait for it, or goes away in the middle. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { MongoClient } from "mongodb";
import { kafkaClient } from "../../actors/kafka/client.ts";
import { commandRecordOf } from "../../actors/kafka/command-record.ts";
import { spaceNamesIn } from "../../actors/kafka/names.ts";
import { prepareSpaceTopics } from "../../actors/kafka/topics.ts";
import { connectMongo, servingBounds, toolBounds } from "../../actors/mongo/connect.ts";
import { commandOf, idOf } from "../../actors/resources/space-for-tests.ts";
import { type Place, placeOn, servers } from "../system/deployments.ts";
import { type FaultProxy, faultProxy } from "../system/fault-proxy.ts";
import { poll } from "../system/poll.ts";
import { describeWith, privateService } from "../system/services.ts";
import { type TrackerRun, tracker } from "../system/tracker.ts";

const partitions = 4;
const commands = 300;
/** Longer than `servingBounds` would wait for an answer. */
const slowMs = servingBounds.socketTimeoutMS + 1_500;
const deadlineMs = 120_000;

describeWith("a rebuild in MongoDB", [await servers(), await privateService("mongo")], (urls, server) => {
  let place: Place;
  let mongo: MongoClient;
  let proxy: FaultProxy;
  let env: Record<string, string>;

  beforeAll(async () => {
    place = await placeOn(urls, ["KAFKA_BROKERS"], { partitions });
    proxy = await faultProxy(server.port);
    const url = new URL(server.url);
    url.pathname = "/rebuilt";
    mongo = new MongoClient(url.href);
    url.port = String(proxy.port);
    env = { ...place.env, MONGO_URL: url.href };
    const kafkaServers = {
      brokers: urls.KAFKA_BROKERS.split(","),
      partitions,
      namespace: `${place.env.TT_NAMESPACE}.`,
      tls: false,
    };
    const kafka = kafkaClient(kafkaServers, "task-tracker-test");
    await prepareSpaceTopics(kafka, kafkaServers);
    const producer = kafka.producer();
    await producer.connect();
    const creates = Array.from({ length: commands }, (_, n) => {
      const [spaceId, id] = [idOf(n % 5), crypto.randomUUID()];
      return commandOf({ spaceId, userId: spaceId, operationId: id }, [
        { type: "task", kind: "create", id, body: { title: `Task ${n}` } },
      ]);
    });
    const messages = creates.map((each) => commandRecordOf(each, partitions));
    await producer.send({ topic: spaceNamesIn(kafkaServers).commands, messages });
    await producer.disconnect();
  }, deadlineMs);
  afterAll(async () => {
    await mongo.close();
    await proxy.close();
    await server.stop();
    await place.remove();
  }, deadlineMs);

  const rebuild = (): TrackerRun => tracker(["rebuild", "--from-log"], env);
  const isAtLastSteps = (run: TrackerRun): boolean => {
    if (run.child.exitCode !== null) throw new Error(`It ended with ${run.child.exitCode}: ${run.err()}`);
    return run.err().includes("to the disks");
  };
  const failing = (data: Record<string, unknown>, times: number) =>
    mongo.db("admin").command({ configureFailPoint: "failCommand", mode: { times }, data });
  const collections = async () => (await mongo.db().listCollections().toArray()).map(({ name }) => name).sort();

  /** The store has its name whatever becomes of the rebuild. */
  const inPlace = async () => (await collections()).filter((name) => !name.endsWith(".rebuilt") && name !== "store");
  const slowed = (name: string) => failing({ failCommands: [name], blockConnection: true, blockTimeMS: slowMs }, 1);

  test(
    "Ctrl-C before the last step leaves the read model as it was",
    async () => {
      await slowed("delete");
      const run = rebuild();
      await poll("it is at its last steps", deadlineMs, () => isAtLastSteps(run));
      run.child.kill("SIGINT");
      const { code, err } = await run.exited;
      expect(code).toBe(130);
      expect(err).toEndWith("Interrupted: rebuild was not finished\n");
      expect(await inPlace()).toEqual([]);
    },
    deadlineMs,
  );

  test(
    "ends with 1 when the server goes away, and the read model is as it was",
    async () => {
      await slowed("delete");
      const run = rebuild();
      await poll("it is at its last steps", deadlineMs, () => isAtLastSteps(run));
      await proxy.mode("refuse");
      const { code, out, err } = await run.exited;
      expect([code, out]).toEqual([1, ""]);
      expect(err).toMatch(
        /Cannot finish rebuild: MongoDB failed to write the new read model to the disks \((Mongo|Pool)\w+.*\)\n$/,
      );
      await proxy.mode("pass");
      expect(await inPlace()).toEqual([]);
    },
    deadlineMs,
  );

  test(
    "waits for a last step that takes longer than a serving process would wait, and makes good what was broken off",
    async () => {
      await slowed("renameCollection");
      const { code, out, err } = await rebuild().exited;
      expect({ code, err }).toEqual({ code: 0, err: expect.not.stringContaining("Cannot") });
      // A producer that sends again what it has no answer to puts some commands into the log twice.
      expect(out).toMatch(/^Rebuilt from \d+ commands in /);
      expect(await mongo.db().collection("documents").countDocuments()).toBe(commands);
      expect(await collections()).toEqual(["documents", "erased", "facts", "heads", "store"]);
    },
    deadlineMs,
  );

  test(
    "an operation of a tool ends when its server no longer answers heartbeats, without a deadline of its own",
    async () => {
      const bounds = {
        ...toolBounds,
        connectTimeoutMS: 500,
        heartbeatFrequencyMS: 500,
        serverSelectionTimeoutMS: 2_000,
      };
      const tool = connectMongo({ url: env.MONGO_URL ?? "" }, { bounds });
      try {
        await tool.ping();
        await failing({ failCommands: ["insert"], blockConnection: true, blockTimeMS: slowMs }, 1);
        const insert = tool.db
          .collection("probe")
          .insertOne({})
          .then(
            () => "done",
            (error: Error) => error.name,
          );
        await proxy.mode("stall");
        expect(await insert).toBe("PoolClearedOnNetworkError");
      } finally {
        await proxy.mode("pass");
        await tool.close();
      }
    },
    deadlineMs,
  );
});
