import { expect, test } from "bun:test";
import { healthRoute } from "./health-route.ts";
import type { Call } from "./route.ts";

test("it tells readiness without detail, and asks again only after a while", async () => {
  let nowMs = 0;
  let asked = 0;
  let well = true;
  const { handle } = healthRoute(
    async () => {
      asked += 1;
      if (!well) throw new Error("the writer does not answer");
    },
    () => nowMs,
  );
  const call = {} as Call;
  expect(await Promise.all([handle(call), handle(call)])).toEqual([
    { status: 200, json: '{"ready":true}' },
    { status: 200, json: '{"ready":true}' },
  ]);
  expect(asked).toBe(1);
  well = false;
  nowMs = 249;
  expect(await handle(call)).toMatchObject({ status: 200 });
  nowMs = 250;
  expect(await handle(call)).toEqual({ status: 503, json: '{"ready":false}', headers: { "retry-after": "1" } });
  expect(asked).toBe(2);
});
