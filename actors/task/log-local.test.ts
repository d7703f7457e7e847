import { expect, test } from "bun:test";
import type { Ref } from "../../runtime/actor.ts";
import { ActorError, type RuntimeCode } from "../../runtime/errors.ts";
import { command } from "../consumer/commands-for-tests.ts";
import type { consumer } from "../consumer/messages.ts";
import { problemOf } from "../http/problem-of-for-tests.ts";
import type { Command, Outcome } from "../model/command.ts";
import { localLog } from "./log-local.ts";

type Reply = RuntimeCode | Error | Partial<Outcome>;

/** A writer that answers by a script, then goes on with its last line. */
function writer(...script: Reply[]) {
  const asked: { body: Command; key: string | undefined; timeoutMs: number | undefined }[] = [];
  const ref = {
    tell: () => undefined,
    ask: async (_kind: string, body: Command, options: { key?: string; timeoutMs?: number } = {}) => {
      asked.push({ body, key: options.key, timeoutMs: options.timeoutMs });
      const reply = script[Math.min(asked.length, script.length) - 1] as Reply;
      if (typeof reply === "string") throw new ActorError(reply, "Cannot");
      if (reply instanceof Error) throw reply;
      return {
        operationId: body.operationId,
        taskId: body.taskId,
        userId: body.userId,
        position: { partition: 0, offset: 1 },
        verdict: "applied",
        ...reply,
      };
    },
  } as unknown as Ref<typeof consumer.accepts>;
  return { ref, asked };
}
const create = command({ kind: "create" });

test("a command is asked once, keyed by its task, within the time given", async () => {
  const { ref, asked } = writer({});
  expect(await localLog(ref, 500).append(create, { verdict: true })).toMatchObject({ outcome: { verdict: "applied" } });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.key).toBe(create.taskId);
  expect(asked[0]?.timeoutMs).toBeLessThanOrEqual(500);
});

test("when the writer dies, the very same command is sent to its successor", async () => {
  const { ref, asked } = writer("Died", "Stopped", new Error("disk I/O error"), {});
  expect(await localLog(ref, 2_000).append(create, { verdict: true })).toMatchObject({
    outcome: { verdict: "applied" },
  });
  expect(asked.map(({ body }) => body)).toEqual([create, create, create, create]);
});

test("an outcome found by the second try of a command without a key is its own first one", async () => {
  expect(
    await localLog(writer("Died", { verdict: "replayed" }).ref, 500).append(create, { verdict: true }),
  ).toMatchObject({ outcome: { verdict: "applied" } });
  expect(
    await localLog(writer("Died", { verdict: "replayed", code: "version-mismatch" }).ref, 500).append(create, {
      verdict: true,
    }),
  ).toMatchObject({ outcome: { verdict: "rejected", code: "version-mismatch" } });
  expect(
    await localLog(writer("Died", { verdict: "replayed" }).ref, 500).append(
      { ...create, keyed: true },
      { verdict: true },
    ),
  ).toMatchObject({ outcome: { verdict: "replayed" } });
  expect(await localLog(writer({ verdict: "replayed" }).ref, 500).append(create, { verdict: true })).toMatchObject({
    outcome: { verdict: "replayed" },
  });
});

test("a writer that stays away is log-unavailable when the time is over, and not before", async () => {
  const { ref, asked } = writer("Died");
  const began = performance.now();
  expect(await problemOf(() => localLog(ref, 120).append(create, { verdict: true }))).toBe("log-unavailable");
  const took = performance.now() - began;
  expect(took).toBeGreaterThan(60);
  expect(took).toBeLessThan(1_000);
  expect(asked.length).toBeGreaterThan(1);
  expect(asked.length).toBeLessThan(8);
});

test("a verdict that does not come in time is log-unavailable, a full mailbox is overloaded", async () => {
  expect(await problemOf(() => localLog(writer("Expired").ref, 500).append(create, { verdict: true }))).toBe(
    "log-unavailable",
  );
  expect(await problemOf(() => localLog(writer("Busy").ref, 500).append(create, { verdict: true }))).toBe("overloaded");
});
