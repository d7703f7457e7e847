/** The typed client: current, packed cleanly, and on four platforms what its README says. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type OpenApiDocument, typesFile, typesOf } from "../clients/typescript/generate.ts";
import { node } from "../deploy/check/tools.ts";
import { run } from "../deploy/services/install.ts";
import { example, type Packed, packed } from "./client/built.ts";
import { browser, closeBrowser, visitor } from "./system/browser.ts";
import { poll } from "./system/poll.ts";
import { binaryOf } from "./system/runtimes.ts";
import { cleanUp, freePort, type System, start, temporaryFolder } from "./system/server.ts";
import { describeWith } from "./system/services.ts";

const deadlineMs = 120_000;
let system: System;
let client: Packed;
let origin: string;

beforeAll(async () => {
  const port = await freePort();
  origin = `http://127.0.0.1:${port}`;
  [system, client] = await Promise.all([
    start({ env: { TT_ALLOWED_ORIGINS: origin, TT_LOGIN_DELAY: "off" } }),
    packed(temporaryFolder()),
  ]);
}, 300_000);
afterAll(async () => {
  await closeBrowser();
  await system?.end("SIGTERM");
  await cleanUp();
}, deadlineMs);

test("its types are those of the OpenAPI document", async () => {
  const document = (await (await fetch(`${system.url}/v1/openapi.json`)).json()) as OpenApiDocument;
  expect(typesOf(document) === readFileSync(typesFile, "utf8"), "run: npm run client -- <url of a server>").toBe(true);
});

test("its package has the compiled files, what they need, and nothing else", () => {
  const names = ["client", "follow", "problem", "server-sent-events", "transport", "types"];
  const compiled = names.flatMap((name) => [`dist/${name}.d.ts`, `dist/${name}.js`]);
  expect(client.files).toEqual(["LICENSE", "README.md", ...compiled, "package.json"].toSorted());
  for (const path of client.files) {
    if (!path.endsWith(".js")) continue;
    const text = readFileSync(join(client.folder, "node_modules/@task-tracker/client", path), "utf8");
    expect(text, path).not.toMatch(/from "(?:node:|[^.])|from "[^"]*\.ts"|process\.|Bun\.|Deno\./);
  }
});

test("its types check in a strict program that knows no platform but the web's", async () => {
  const { path } = exampleFile();
  const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--module", "nodenext", "--target", "es2022"];
  const libraries = ["--lib", "es2023,dom,dom.iterable,dom.asynciterable", "--ignoreConfig"];
  const tsc = join(import.meta.dir, "..", "node_modules", "typescript", "bin", "tsc");
  await run(binaryOf("bun"), [tsc, ...flags, ...libraries, path], { deadlineMs, cwd: client.folder });
}, 180_000);

/** One server serves all: the example signs in where the account exists already. */
function exampleFile(): { path: string; logged: string[] } {
  const { code, logged } = example(system.url);
  const path = join(client.folder, "example.ts");
  writeFileSync(path, code);
  return { path, logged };
}

describe("the README's example logs what stands behind each line", () => {
  test("on Bun", async () => {
    const { path, logged } = exampleFile();
    expect(logged.length).toBeGreaterThan(6);
    expect((await run(binaryOf("bun"), [path], { deadlineMs })).trim().split("\n")).toEqual(logged);
  }, 180_000);

  test("on Deno, which may reach the network alone", async () => {
    const { path, logged } = exampleFile();
    const flags = ["run", "--allow-net=127.0.0.1", "--node-modules-dir=manual", "--quiet"];
    expect((await run(binaryOf("deno"), [...flags, path], { deadlineMs })).trim().split("\n")).toEqual(logged);
  }, 180_000);

  test("on Node", async () => {
    const { path, logged } = exampleFile();
    const program = await node(() => undefined);
    expect((await run(program, [path], { deadlineMs })).trim().split("\n")).toEqual(logged);
  }, 400_000);
});

const found = await browser();
describeWith("a browser", [found], ({ browser: of }) => {
  test("the README's example does so in a browser, in a page of another origin", async () => {
    const { path, logged } = exampleFile();
    const built = await Bun.build({ entrypoints: [path], target: "browser" });
    const script = await built.outputs[0]?.text();
    const page =
      "<!doctype html><title>Client</title><link rel=icon href=data:,><script type=module src=/example.js></script>";
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: Number(new URL(origin).port),
      fetch: ({ url }) =>
        url.endsWith(".js")
          ? new Response(script, { headers: { "content-type": "text/javascript" } })
          : new Response(page, { headers: { "content-type": "text/html" } }),
    });
    try {
      const { page: opened, context } = await visitor(of, "about:blank");
      const said: string[] = [];
      opened.on("console", (message) => message.type() === "log" && said.push(message.text()));
      opened.on("pageerror", (error) => said.push(`error: ${error.message}`));
      await opened.goto(origin);
      await poll("the example has run", deadlineMs, () => said.length >= logged.length);
      expect(said).toEqual(logged);
      await context.close();
    } finally {
      await server.stop(true);
    }
  }, 180_000);
});
