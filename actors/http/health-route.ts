/** `GET /health`: what `/readyz` says on the admin port, without the detail. */
import { Type as t } from "@sinclair/typebox";
import type { Route } from "./route.ts";

/** For so long an answer is given again, so that nobody can keep the other actors busy with it. */
const rememberedMs = 250;

/** `ready` resolves when every actor that this role needs has answered in time, and rejects otherwise. */
export function healthRoute(ready: () => Promise<unknown>, now: () => number): Route {
  let latest: Promise<boolean> | undefined;
  let askedMs = 0;

  function isReady(): Promise<boolean> {
    if (latest === undefined || now() - askedMs >= rememberedMs) {
      askedMs = now();
      latest = ready().then(
        () => true,
        () => false,
      );
    }
    return latest;
  }

  const schema = t.Object({ ready: t.Boolean({ description: "As the status says" }) }, { $id: "Health" });
  return {
    method: "GET",
    path: "/health",
    id: "health",
    summary: "Whether the server can do its job now",
    description: "As `/readyz` on the admin port says it, without the detail.",
    tag: "Meta",
    auth: "none",
    isAlias: true,
    answers: {
      200: { description: "It can", schema },
      503: { description: "It cannot; retry soon", schema, headers: ["Retry-After"] },
    },
    problems: [],
    handle: async () =>
      (await isReady())
        ? { status: 200, json: '{"ready":true}' }
        : { status: 503, json: '{"ready":false}', headers: { "retry-after": "1" } },
  };
}
