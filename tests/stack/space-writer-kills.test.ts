/** Writers of spaces that are killed, joined by others and replaced, while commands come: what is told and kept is what one that never fails would tell. */
import { afterAll, afterEach, test } from "bun:test";
import { join } from "node:path";
import type { Command } from "../../actors/resources/command.ts";
import { commandOf, idOf } from "../../actors/resources/space-for-tests.ts";
import { poll } from "../system/poll.ts";
import { type Random, random } from "../system/random.ts";
import { describeWith, service } from "../system/services.ts";
import { type SpacePlace, spacePlace } from "./space-place.ts";

const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);
const people = [11, 12, 13, 14, 15, 16].map(idOf);
const program = join(import.meta.dir, "space-writer-process.ts");

describeWith(
  "writers of spaces that are killed",
  [await service("KAFKA_BROKERS"), await service("MONGO_URL")],
  ({ url: broker }, { url: mongoUrl }) => {
    const places: SpacePlace[] = [];
    let running: Bun.Subprocess<"pipe", "ignore", "inherit">[] = [];
    function start(place: SpacePlace) {
      const given = JSON.stringify({ kafka: place.servers, mongoUrl: place.mongoUrl });
      const child = Bun.spawn([process.execPath, program, given], {
        stdin: "pipe",
        stdout: "ignore",
        stderr: "inherit",
      });
      running.push(child);
      return child;
    }
    async function kill(child: Bun.Subprocess): Promise<void> {
      child.kill("SIGKILL");
      await child.exited;
      running = running.filter((each) => each !== child);
    }
    afterEach(async () => {
      await Promise.all(running.map(kill));
    });
    afterAll(async () => {
      for (const place of places) await place.remove();
    }, 120_000);

    test("whoever is killed, whenever, no verdict changes and nothing is lost or done twice", async () => {
      const choose = random(seed);
      const place = await spacePlace({ broker, mongoUrl, partitions: 3 });
      places.push(place);
      start(place);
      start(place);
      const tasks = new Map<string, string[]>();
      const sent: Command[] = [];
      const toldOf = async () => (await Promise.all([0, 1, 2].map((partition) => place.told(partition)))).flat().length;
      for (let wave = 0; wave < 4; wave++) {
        const before = await toldOf();
        for (let part = 0; part < 8; part++) {
          const some = Array.from({ length: 12 }, () => commandFor(choose, tasks, sent));
          sent.push(...some);
          await place.send(some);
        }
        await poll("some of it is told", 90_000, async () => (await toldOf()) > before);
        // In the middle of it: what it has told may not be projected, what it has projected may not be committed.
        const victim = choose.pick(running);
        await kill(victim);
        start(place);
        if (choose.chance(0.5)) start(place);
      }
      await poll(`all is projected (seed ${seed})`, 150_000, () => place.isDone(), 500);
      await place.expectWhole();
    }, 240_000);
  },
);

/** A command on one of few tasks, or one that was sent before. */
function commandFor(choose: Random, tasks: Map<string, string[]>, sent: readonly Command[]): Command {
  if (sent.length > 0 && choose.chance(0.1)) return choose.pick(sent);
  const userId = choose.pick(people);
  const own = tasks.get(userId) ?? [];
  tasks.set(userId, own);
  const of = { spaceId: userId, userId, operationId: crypto.randomUUID(), keyed: true, fingerprint: `${sent.length}` };
  if (own.length === 0 || choose.chance(0.3)) {
    own.push(of.operationId);
    return commandOf(of, [{ type: "task", kind: "create", id: of.operationId, body: { title: "new" } }]);
  }
  const body = { title: `title ${sent.length}` };
  return commandOf(of, [{ type: "task", kind: "patch", id: choose.pick(own), body }]);
}
