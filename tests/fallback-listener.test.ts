/** Clients never find nobody: while the `task` worker is away the public port says so and asks to come back. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { call } from "./system/client.ts";
import { poll } from "./system/poll.ts";
import { type System, start } from "./system/server.ts";

describe("while the task worker is away", () => {
  const origin = "https://app.example.org";
  const publicUrl = "https://example.org/todo";
  let system: System;
  beforeAll(async () => {
    system = await start({
      env: { TT_DEBUG_FAULTS: "1", LOG_LEVEL: "error", TT_ALLOWED_ORIGINS: origin, TT_PUBLIC_URL: publicUrl },
    });
  });
  afterAll(async () => {
    await system?.end("SIGTERM");
  });

  const restarts = async (): Promise<number> => {
    const ready = (await (await fetch(`${system.admin}/readyz`)).json()) as {
      dependencies: { task: { restarts: number } };
    };
    return ready.dependencies.task.restarts;
  };

  for (const how of ["exit", "throw"]) {
    test(`its death by ${how} is answered with 503 and Retry-After until another is up`, async () => {
      const before = await restarts();
      const told = await call(system.admin, "POST", `/debug/kill?actor=task&how=${how}`);
      expect(told.status).toBe(202);
      const answers: string[] = [];
      await poll(
        "the worker is back",
        60_000,
        async () => {
          const reply = await fetch(`${system.url}/todo/problems/overloaded`, {
            headers: { connection: "close", origin },
            signal: AbortSignal.timeout(2_000),
          }).catch((error: unknown) => String(error));
          if (typeof reply === "string") answers.push(reply);
          else {
            answers.push(String(reply.status));
            if (reply.status === 503) {
              expect(reply.headers.get("retry-after")).toBe("1");
              expect(reply.headers.get("access-control-allow-origin")).toBe(origin);
              expect(reply.headers.get("strict-transport-security")).toBe("max-age=31536000");
              expect((await reply.json()) as object).toMatchObject({
                code: "overloaded",
                type: `${publicUrl}/problems/overloaded`,
                instance: "/todo/problems/overloaded",
              });
            }
          }
          return reply !== null && (await restarts()) > before && answers.at(-1) === "200";
        },
        1,
      );
      expect(answers.filter((each) => /^\d+$/.test(each) && each !== "200" && each !== "503")).toEqual([]);
      // A connection that the dying worker had already taken is cut off, and for a moment of its last goodbye nobody listens.
      const cut = answers.filter((each) => !/^\d+$/.test(each));
      expect(cut.length).toBeLessThanOrEqual(20);
    });
  }
});
