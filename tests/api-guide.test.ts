/** The guide to the API: its commands and its programs do what it says, in their order, against a real server. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../deploy/services/install.ts";
import { type Person, person } from "./system/client.ts";
import { binaryOf } from "./system/runtimes.ts";
import { cleanUp, type System, start, temporaryFolder } from "./system/server.ts";
import { runSession, statusesIn } from "./system/shell.ts";

const deadlineMs = 120_000;
const guide = readFileSync(join(import.meta.dir, "..", "docs", "api.md"), "utf8");
const blocksOf = (language: string): string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, code = ""]) => code);

let system: System;
let ada: Person;
beforeAll(async () => {
  system = await start();
  ada = await person(system.url);
  for (const title of ["one", "two"]) await ada.call("POST", "/v1/tasks", { body: { title } });
}, deadlineMs);
afterAll(async () => {
  await system?.end("SIGTERM");
  await cleanUp();
}, deadlineMs);

test("each command answers with the status that stands behind it", async () => {
  const script = blocksOf("sh").join("\n");
  const expected = [...script.matchAll(/^(?:TOKEN=\S+ )?tt .* # (\d{3})$/gm)].map(([, status = ""]) => status);
  expect(expected.length).toBeGreaterThan(30);
  const { code, err, out } = await runSession(script, system.url);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(statusesIn(out)).toEqual(expected);
  expect(out).toContain("event: hello");
  expect(out).toContain("event: fact");
}, 180_000);

test("every section has a command", () => {
  const sections = guide.split(/^## /m).slice(1);
  expect(sections.filter((section) => !section.includes("```sh")).map((section) => section.split("\n")[0])).toEqual([]);
});

test("the follower in TypeScript gets the facts in their order", async () => {
  const [code = ""] = blocksOf("ts");
  const file = join(temporaryFolder(), "follow.ts");
  const use = `const { log } = console;
for await (const { seq } of follow(${JSON.stringify(system.url)}, ${JSON.stringify(ada.id)}, async () => ${JSON.stringify(ada.tokens.accessToken)})) {
  log(seq);
  if (seq === 2) break;
}
process.exit(0);`;
  writeFileSync(file, `${code}\n${use}\n`);
  for (const runtime of ["bun", "deno"] as const) {
    const args = runtime === "bun" ? [file] : ["run", "-A", "--quiet", file];
    expect([runtime, await run(binaryOf(runtime), args, { deadlineMs })]).toEqual([runtime, "1\n2\n"]);
  }
}, 180_000);

const python = Bun.which("python3");
test.skipIf(python === null)(
  "the follower in Python does so (skipped where there is no python3)",
  async () => {
    const [code = ""] = blocksOf("python");
    const file = join(temporaryFolder(), "follow.py");
    const use = `for fact in follow(${JSON.stringify(system.url)}, ${JSON.stringify(ada.id)}, lambda: ${JSON.stringify(ada.tokens.accessToken)}):
    print(fact["seq"])
    if fact["seq"] == 2:
        break`;
    writeFileSync(file, `${code}\n${use}\n`);
    expect(await run(python ?? "", [file], { deadlineMs })).toBe("1\n2\n");
  },
  180_000,
);
