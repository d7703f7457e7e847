import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandOf, platforms, runToEnd } from "./programs.ts";

const sources = fileURLToPath(new URL("fixtures/bundled", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const bin = (name: string): string => join(root, "node_modules", ".bin", name);
const printed = `${JSON.stringify({ said: "the total is 5050", afterRestart: 0 })}\n`;
const DEADLINE_MS = 180_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bundled-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Builds into a folder of its own, apart from all sources. */
async function build(name: string, command: readonly string[]): Promise<string> {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  const { code, stdout, stderr } = await runToEnd(
    command.map((each) => each.replace("{}", place)),
    sources,
  );
  expect({ code, told: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, told: "" });
  return place;
}

/** Each way of building, and the file that is run then. */
const bundles: Record<string, { command: readonly string[]; run: string }> = {
  "one file by bun build": {
    command: [bin("bun"), "build", "one-file.ts", "--target", "node", "--outfile", "{}/app.js"],
    run: "app.js",
  },
  "one file by deno bundle": {
    command: [bin("deno"), "bundle", "--no-lock", "-o", "{}/app.js", "one-file.ts"],
    run: "app.js",
  },
  "an entry of the workers' own by bun build, minified and split": {
    command: [
      bin("bun"),
      "build",
      "main.ts",
      "worker.ts",
      "--target",
      "node",
      "--minify",
      "--splitting",
      "--outdir",
      "{}",
    ],
    run: "main.js",
  },
  "one file by bun build, split": {
    command: [bin("bun"), "build", "one-file.ts", "--target", "node", "--splitting", "--outdir", "{}"],
    run: "one-file.js",
  },
};

describe("A program of actors that is built", () => {
  for (const [name, { command, run }] of Object.entries(bundles))
    test(
      `as ${name} runs on Bun, Deno and Node, restarts included`,
      async () => {
        const place = await build(name.replaceAll(/\W+/g, "-"), command);
        for (const platform of platforms) {
          const { code, stdout, stderr } = await runToEnd([...(await commandOf(platform)), run], place);
          expect({ platform, code, stdout, stderr }).toMatchObject({ platform, code: 0, stdout: printed });
        }
      },
      DEADLINE_MS,
    );

  test.each([
    ["one file", ["one-file.ts"]],
    ["an entry of the workers' own", ["main.ts", "worker.ts"]],
  ] as const)(
    "by bun build --compile of %s runs by itself",
    async (_, entries) => {
      const place = await build(`compiled-${entries.length}`, [
        bin("bun"),
        "build",
        "--compile",
        ...entries,
        "--outfile",
        "{}/app",
      ]);
      expect(await runToEnd([join(place, "app")], folder)).toMatchObject({ code: 0, stdout: printed });
    },
    DEADLINE_MS,
  );
});

// Deno fetches the part that every compiled program begins with, and a machine without a network may not have it.
const compiledByDeno = mkdtempSync(join(tmpdir(), "deno-compiled-"));
const canDenoCompile =
  (
    await runToEnd(
      [
        bin("deno"),
        "compile",
        "-A",
        "--no-lock",
        "--no-check",
        "--include",
        "worker.ts",
        "-o",
        join(compiledByDeno, "app"),
        "main.ts",
      ],
      sources,
    )
  ).code === 0;
afterAll(() => rmSync(compiledByDeno, { recursive: true, force: true }));

test.skipIf(!canDenoCompile)(
  "A program of actors compiled by deno compile runs by itself (skipped where Deno cannot fetch what it compiles with)",
  async () => {
    expect(await runToEnd([join(compiledByDeno, "app")], folder)).toMatchObject({ code: 0, stdout: printed });
  },
  DEADLINE_MS,
);

test(
  "Sources run on Bun, Deno and Node through a registry, as one file and with an entry of the workers' own",
  async () => {
    for (const platform of platforms)
      for (const file of ["one-file.ts", "main.ts"]) {
        const result = await runToEnd([...(await commandOf(platform)), file], sources);
        expect({ platform, file, ...result }).toMatchObject({ platform, file, code: 0, stdout: printed });
      }
  },
  DEADLINE_MS,
);

test(
  "On Deno modules may come from a server, as those of JSR do",
  async () => {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) =>
        new Response(Bun.file(join(root, new URL(request.url).pathname)), {
          headers: { "content-type": "application/typescript" },
        }),
    });
    try {
      const address = new URL("/tests/runtime/fixtures/bundled/main.ts", server.url).href;
      const command = [...(await commandOf("deno")), "--no-config", "--reload", address];
      expect(await runToEnd(command, folder)).toMatchObject({ code: 0, stdout: printed });
    } finally {
      await server.stop(true);
    }
  },
  DEADLINE_MS,
);
