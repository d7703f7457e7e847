/** The reference of reads and changes: Elysia with nothing behind it. `bun|deno bare.ts <file with a task's text> <file with a page's text>`; prints its URL. */

import { readFileSync } from "node:fs";
import process from "node:process";
import { Elysia } from "elysia";
import { listen } from "../../actors/http/listen.ts";

const [task = "", page = ""] = process.argv.slice(2).map((file) => readFileSync(file, "utf8"));
const init = { headers: { "content-type": "application/json" } };
const made = { ...init, status: 201 };

const app = new Elysia()
  .get("/v1/tasks", () => new Response(page, init))
  .get("/v1/tasks/:id", () => new Response(task, init))
  .post("/v1/tasks", () => new Response(task, made), { parse: "none" })
  .patch("/v1/tasks/:id", () => new Response(task, init), { parse: "none" });

/** Elysia's own `listen` where it has one (it knows more ways to be quick than `fetch`). */
function port(): number {
  if (process.versions.bun === undefined)
    return listen((request) => app.fetch(request), { host: "127.0.0.1", port: 0 }).port;
  return app.listen({ hostname: "127.0.0.1", port: 0 }).server?.port ?? 0;
}

process.on("SIGTERM", () => process.exit(0));
process.stdout.write(`http://127.0.0.1:${port()}\n`);
