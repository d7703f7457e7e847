import { expect, test } from "bun:test";
import { type Schema, topic } from "../../runtime/actor.ts";
import { system } from "../../runtime/system.ts";
import { child, supervise } from "../../runtime/tree.ts";
import { mortal } from "./fixtures/mortal.ts";

const text: Schema<string> = {} as Schema<string>;

/** A system in this thread alone; ends with the test. */
async function topics(work: (app: ReturnType<typeof system>, logged: unknown[]) => Promise<void>): Promise<void> {
  const logged: unknown[] = [];
  const limits = { intensity: 1, periodMs: 1_000 };
  const app = system({
    tree: supervise("one_for_one", limits, [child(mortal, { thread: "main" })]),
    log: (_level, event, fields) => logged.push({ event, ...fields }),
  });
  await app.start();
  await work(app, logged);
  await app.stop();
}

test("What is published reaches all who listen in the main thread, whatever one of them throws", () =>
  topics(async (app, logged) => {
    const news = topic("news", text);
    const heard = new Promise<string>((resolve) => {
      app.subscribe(news, () => {
        throw new Error("not today");
      });
      app.subscribe(news, resolve);
    });
    void app.publish(news, "first");
    expect(await heard).toBe("first");
    // The message is settled after the last one heard it.
    await app.ref(mortal).ask("echo", 1);
    expect(logged).toContainEqual({
      event: "message-failed",
      kind: "news",
      from: "main",
      error: "not today",
      stack: expect.stringContaining("topics.test.ts"),
    });
  }));

test.each(["constructor", "toString", "__proto__"])("A topic may be named %s", (name) =>
  topics(async (app) => {
    const odd = topic(name, text);
    void app.publish(odd, "nobody hears this");
    const heard: string[] = [];
    app.subscribe(odd, (value) => heard.push(value));
    void app.publish(odd, "heard");
    await app.ref(mortal).ask("echo", 1);
    expect(heard).toEqual(["heard"]);
  }),
);

test("`await using` stops a system at the end of its block, whether it was started or not", async () => {
  let view: (() => string) | undefined;
  {
    await using app = system({
      tree: supervise("one_for_one", { intensity: 1, periodMs: 1_000 }, [child(mortal, { thread: "main" })]),
      log: () => undefined,
    });
    await app.start();
    view = () => app.inspect().state;
    expect(view()).toBe("running");
  }
  expect(view()).toBe("ended");
  {
    await using app = system({
      tree: supervise("one_for_one", { intensity: 1, periodMs: 1_000 }, [child(mortal, { thread: "main" })]),
    });
    await app.stop();
  }
});
