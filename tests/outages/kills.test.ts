/**
 * kill -9 of every role and every server at random moments, while many clients write with keys and without: what was answered is there afterwards,
 * each keyed operation once, what was 202 is decided, and all goes on without a restart of anything else.
 * KILLS=60 kills that many times at random instead of each once; SEED repeats a run.
 */
import { afterAll, expect, test } from "bun:test";
import { person } from "../system/client.ts";
import { load } from "../system/load.ts";
import { crew, type Member } from "../system/member.ts";
import { poll } from "../system/poll.ts";
import { random } from "../system/random.ts";
import { cleanUp } from "../system/server.ts";
import { describeWith } from "../system/services.ts";
import { serverNames, stack } from "../system/stack.ts";

const kills = Number(process.env.KILLS ?? 0);
const seed = Number(process.env.SEED ?? process.hrtime.bigint() % 1_000_000n);
const clients = 12;
afterAll(cleanUp);

describeWith("a system of five processes on four servers", [await stack()], (servers) => {
  afterAll(servers.close, 30_000);

  test(
    `kill -9 of everything, one by one, loses nothing and doubles nothing (seed ${seed})`,
    async () => {
      const choose = random(seed);
      const system = await crew(servers.env, { task: 2, consumer: 2 });
      const people = await Promise.all(Array.from({ length: clients }, () => person(system.urls[0] as string)));
      // A Redis that was killed has forgotten whose writes are where: then it takes the token to see one's own on another instance.
      const running = load({ urls: system.urls, people, seed, tokens: true, timeoutMs: 60_000 });
      const some = (each: string): { name: string; kill(): Promise<void>; mend(): Promise<void> } => {
        const server = servers.servers[each as (typeof serverNames)[number]];
        if (server !== undefined) return { name: each, kill: server.kill, mend: server.mend };
        const member = choose.pick(
          each === "auth" ? [system.auth] : each === "task" ? system.tasks : system.consumers,
        ) satisfies Member;
        return {
          name: each,
          kill: async () => void (await member.end("SIGKILL")),
          mend: member.start,
        };
      };
      const names = [...serverNames, "auth", "task", "consumer"];
      const order =
        kills === 0 ? names.toSorted(() => choose.int(3) - 1) : Array.from({ length: kills }, () => choose.pick(names));
      const took: string[] = [];
      for (const each of order) {
        const goal = running.progress() + 20 + choose.int(100);
        await poll(`the load goes on before ${each} is killed`, 60_000, () => running.progress() > goal, 5);
        const { kill, mend } = some(each);
        await kill();
        const away = running.progress() + choose.int(60);
        // Where nothing can be done meanwhile, it comes back anyway.
        await poll("a little more is done", 1_000, () => running.progress() > away, 5).catch(() => undefined);
        await mend();
        const begunMs = performance.now();
        const back = running.progress() + 50;
        await poll(`the load goes on after ${each} is back`, 60_000, () => running.progress() > back, 5);
        took.push(`${each} ${Math.round(performance.now() - begunMs)}`);
      }
      await Promise.all(system.all.map((each) => each.ready()));
      const wrong = await running.stop();
      const summary = `${running.progress()} changes, slowest ${running.slowestMs()} ms; until 50 more after each: ${took.join(", ")}; ${JSON.stringify(Object.fromEntries(running.seen))}`;
      if (kills > 0) process.stderr.write(`${summary}\n`);
      const complaints = system.all.flatMap((each) =>
        each
          .log()
          .split("\n")
          .filter((line) => /"level":"(warn|error)"/.test(line))
          .slice(-12),
      );
      expect(wrong.slice(0, 20), `${summary}\n${complaints.join("\n")}`).toEqual([]);
      expect(await system.end()).toEqual(system.all.map(() => 0));
    },
    240_000 + kills * 20_000,
  );
});
