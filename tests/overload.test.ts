/** One user's ordinary requests, all at once: bounded, never the end of the worker, and another user hardly notices. */
import { afterAll, expect, test } from "bun:test";
import { Agent, get } from "node:http";
import { createTask, inParallel, type Person, person } from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { cleanUp, start } from "./system/server.ts";

afterAll(async () => {
  for (const agent of Object.values(agents)) agent.destroy();
  await cleanUp();
});

type Seen = { status: number; retryAfter: string | null; code: string | undefined };

/** As many connections as requests: `fetch` opens 256 at most, and what waits for one of them would wait in this process. */
const agents = { flood: new Agent(), other: new Agent({ keepAlive: true }) };

/** The answer, or what became of the connection. The body is read as it comes and, where it is large, not kept. */
function ask(agent: Agent, who: Person, url: string): Promise<Seen | string> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${who.tokens.accessToken}` };
    const request = get(url, { agent, headers, timeout: 30_000 }, (answer) => {
      const status = answer.statusCode ?? 0;
      let text = "";
      answer.on("data", (part: Buffer) => {
        if (status !== 200) text += part.toString();
      });
      answer.on("error", (error) => resolve(String(error)));
      answer.on("end", () =>
        resolve({
          status,
          retryAfter: answer.headers["retry-after"] ?? null,
          code: status === 200 ? undefined : (JSON.parse(text) as { code: string }).code,
        }),
      );
    });
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", (error) => resolve(String(error)));
  });
}

for (const runtime of ["bun", "deno"] as const) {
  test(`on ${runtime}, 900 large lists of one user at once are answered or refused as overloaded, and another user is answered meanwhile`, async () => {
    const server = await start({ runtime });
    const [many, other] = [await person(server.url), await person(server.url)];
    const description = "x".repeat(20_000);
    await inParallel(100, 8, async (index) => void (await createTask(many, { title: `task ${index}`, description })));
    const { id } = await createTask(other);

    const lists = `${server.url}/v1/tasks?limit=100`;
    let flooding = true;
    const flood = Promise.all(Array.from({ length: 900 }, () => ask(agents.flood, many, lists))).finally(() => {
      flooding = false;
    });
    const meanwhile: (Seen | string)[] = [];
    while (flooding) meanwhile.push(await ask(agents.other, other, `${server.url}/v1/tasks/${id}`));

    const answers = await flood;
    const kinds = new Set(answers.map((each) => JSON.stringify(each)));
    const allowed = [
      { status: 200, retryAfter: null },
      { status: 503, retryAfter: "1", code: "overloaded" },
    ].map((each) => JSON.stringify(each));
    // All of them are many seconds of work: without a bound each is answered, after everybody has waited for it.
    expect([...kinds].sort()).toEqual([...allowed].sort());
    expect(meanwhile.filter((each) => typeof each === "string" || each.status !== 200)).toEqual([]);
    await poll("one list is answered again", 60_000, async () => {
      const one = await ask(agents.flood, many, lists);
      return typeof one !== "string" && one.status === 200;
    });
    expect(server.stderr() + server.stdout()).not.toContain("actor-hung");
    expect((await server.end("SIGTERM")).code).toBe(0);
  }, 120_000);
}
