/** Backup and restore on servers, with the commands of docs/operations.md: PostgreSQL while it runs, Kafka's log folder, and a rebuild. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { call, createTask, person } from "../system/client.ts";
import { poll } from "../system/poll.ts";
import { cleanUp, start, temporaryFolder } from "../system/server.ts";
import { describeWith, type Missing, privateService } from "../system/services.ts";
import { tracker } from "../system/tracker.ts";

const page = readFileSync(join(import.meta.dir, "..", "..", "docs", "operations.md"), "utf8");
const command = (program: string) => new RegExp(`\`(${program} [^\`]*)\``).exec(page)?.[1] ?? "";
const tools = ["pg_dump", "pg_restore", "tar"].filter((each) => Bun.which(each) === null);
const programs: object | Missing = tools.length === 0 ? {} : { missing: tools.join(", ") };

describeWith(
  "a backup of servers",
  [await privateService("postgres"), await privateService("kafka"), await privateService("mongo"), programs],
  (database, kafka, mongo, _programs) => {
    afterAll(async () => {
      await cleanUp();
      await Promise.all([database, kafka, mongo].map((each) => each.stop()));
    }, 60_000);

    test("brings back people and tasks as they were, and nothing of what came later", async () => {
      const env = { DATABASE_URL: database.url, KAFKA_BROKERS: kafka.url, MONGO_URL: mongo.url };
      const folder = temporaryFolder();
      const { hostname, port, username, password } = new URL(database.url);
      const run = (...args: string[]) => {
        const place = { PGHOST: hostname, PGPORT: port, PGUSER: username, PGPASSWORD: password };
        const ran = Bun.spawnSync(args, { cwd: folder, env: { PATH: process.env.PATH, ...place } });
        expect(ran.exitCode, `${args.join(" ")}: ${ran.stderr}`).toBe(0);
      };
      const log = /^log\.dirs=(.*)$/m.exec(readFileSync(join(kafka.dir, "server.properties"), "utf8"))?.[1] ?? "";
      expect(log).not.toBe("");

      const before = await start({ env });
      const who = await person(before.url);
      const kept = await createTask(who);
      run("sh", "-c", command("pg_dump"));
      await before.end("SIGTERM");
      await kafka.kill();
      run("tar", "-C", log, "-cf", "log.tar", ".");
      await kafka.restart();

      const between = await start({ env });
      const newcomer = await person(between.url);
      const lost = await createTask(newcomer);
      await between.end("SIGTERM");
      await kafka.kill();
      run("sh", "-c", `rm -rf '${log}'/* && tar -C '${log}' -xpf log.tar`);
      await kafka.restart();
      run("sh", "-c", command("pg_restore"));
      const { code, err } = await tracker(["rebuild", "--from-log"], env).exited;
      expect([code, err]).toEqual([0, expect.any(String)]);

      const after = await start({ env });
      const status = async (path: string, token: string) => (await call(after.url, "GET", path, { token })).status;
      expect(await status("/v1/auth/me", who.tokens.accessToken)).toBe(200);
      await poll(
        "the task is back",
        60_000,
        async () => (await status(`/v1/tasks/${kept.id}`, who.tokens.accessToken)) === 200,
      );
      expect(await status("/v1/auth/me", newcomer.tokens.accessToken)).toBe(401);
      expect(await status(`/v1/tasks/${lost.id}`, who.tokens.accessToken)).toBe(404);
      expect((await after.end("SIGTERM")).code).toBe(0);
    }, 300_000);
  },
);
