/** What the README tells a newcomer to type works as it is written there, and its tables are those of the program. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { variableRows } from "../actors/config.ts";
import { banner } from "../actors/process/banner.ts";
import { type System, start } from "./system/server.ts";
import { runSession, statusesIn } from "./system/shell.ts";

const readme = readFileSync(join(import.meta.dir, "..", "README.md"), "utf8");
const session = /^## A session\n[\s\S]*?```sh\n([\s\S]*?)```/m.exec(readme)?.[1] ?? "";

test("the banner's first curl leaves the session as it is: both use one account", () => {
  const ready = {
    terminal: true,
    host: "127.0.0.1",
    port: 3000,
    adminHost: "127.0.0.1",
    adminPort: 3001,
    version: "1",
  };
  const [, account = "?"] = /-d '(\{[^']*\})'/.exec(banner(ready)) ?? [];
  expect(session).toContain(`-d '${account}'`);
});

describe("the README's session", () => {
  let system: System;
  beforeAll(async () => {
    system = await start();
  });
  afterAll(async () => {
    await system?.end("SIGTERM");
  });

  test.each(["first", "second"])(
    "answers each command with the status that stands behind it, the %s time",
    async () => {
      const said = [...session.matchAll(/^tt .* # (\d{3})$/gm)].map(([, status = ""]) => status);
      expect(said.length).toBeGreaterThan(7);
      const { code, err, out } = await runSession(session, system.url);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(statusesIn(out)).toEqual(said);
    },
  );
});

test("the README's table of variables is the program's", () => {
  const rows = [...readme.matchAll(/^\| `([A-Z_]+)` \| (.*?) \| `(.*?)` \| (.*) \|$/gm)];
  expect(rows.map(([, name, values, byDefault, about]) => ({ name, values, default: byDefault, about }))).toEqual(
    variableRows(),
  );
});

test("the README's commands are scripts of the package", () => {
  const { scripts } = JSON.parse(readFileSync(join(import.meta.dir, "..", "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/`?(?:npm|bun) run ([a-z:]+)/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test("every proof that docs/guarantees.md names is a test of that file", () => {
  const guarantees = readFileSync(join(import.meta.dir, "..", "docs", "guarantees.md"), "utf8");
  const missing: string[] = [];
  let proofs = 0;
  for (const [, file = "", names = ""] of guarantees.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\)((?:,? "[^"]+")+)/g)) {
    const text = readFileSync(join(import.meta.dir, "..", file), "utf8");
    for (const [, name = ""] of names.matchAll(/"([^"]+)"/g)) {
      proofs += 1;
      if (!text.includes(name)) missing.push(`${file}: ${name}`);
    }
  }
  expect(missing).toEqual([]);
  expect(proofs).toBeGreaterThan(30);
});
