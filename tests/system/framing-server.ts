/** A role's edge in a process of its own, with a route with a body and one without; what they do takes a while, as a write does. */
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { Type } from "@sinclair/typebox";
import { edge } from "../../actors/http/app.ts";
import { acceptErrors, listen } from "../../actors/http/listen.ts";
import type { Route } from "../../actors/http/route.ts";
import { rootSite } from "../../actors/http/site.ts";

let effects = 0;
const effect = async () => {
  effects++;
  await sleep(30);
  return { status: 200, json: "{}" };
};
const body = { schema: Type.Object({ a: Type.Integer() }), types: ["application/json"] };
const common = { method: "POST", auth: "none", handle: effect };
const app = edge(
  [
    { ...common, path: "/with", body },
    { ...common, path: "/without" },
  ] as unknown as Route[],
  { site: rootSite, authenticate: () => Promise.reject(new Error("none")), onFailure: () => process.exit(3) },
);
const say = (line: string) => process.stdout.write(`${line}\n`);
const { port } = listen(
  (request, peer) =>
    new URL(request.url).pathname === "/effects" ? new Response(String(effects)) : app.fetch(request, peer),
  { host: "127.0.0.1", port: 0, onAcceptError: acceptErrors((_, event) => say(event)) },
);
say(`port ${port}`);
