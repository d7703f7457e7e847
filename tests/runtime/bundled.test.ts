import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandOf, platforms, type Result, runToEnd } from "./programs.ts";

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

/** Sources apart from this repository, whose node_modules `deno compile` would take along whole. */
const apart = mkdtempSync(join(tmpdir(), "deno-compiled-"));
cpSync(join(root, "runtime"), join(apart, "runtime"), { recursive: true, filter: (path) => !path.endsWith("/dist") });
const apartSources = join(apart, "tests", "runtime", "fixtures", "bundled");
cpSync(sources, apartSources, { recursive: true });
afterAll(() => rmSync(apart, { recursive: true, force: true }));

/** `deno compile`; its program begins with this binary, or with one that Deno fetches. */
const denoCompile = (args: readonly string[], binary?: string): Promise<Result> =>
  runToEnd(
    [bin("deno"), "compile", "-A", "--no-lock", "--no-check", ...args],
    apartSources,
    binary === undefined ? {} : { DENORT_BIN: binary },
  );
const entries = [
  ["one file", ["one-file.ts"]],
  ["an entry of the workers' own", ["--include", "worker.ts", "main.ts"]],
] as const;

// Without the binary that every compiled program begins with, which only Deno's own server has, what is written does not run; what it holds is told all the same.
test.each(entries)(
  "deno compile of %s takes along the modules of all actors and the workers' entry",
  async (_, args) => {
    const [deno] = await commandOf("deno");
    const { stdout: binary } = await runToEnd(
      [deno, "eval", "Deno.stdout.write(new TextEncoder().encode(Deno.execPath()))"],
      apart,
    );
    const { code, stdout, stderr } = await denoCompile(["-o", join(apart, "held"), ...args], binary.trim());
    const told = Bun.stripANSI(stdout + stderr);
    expect({ code, told }).toMatchObject({ code: 0 });
    const held = [...told.matchAll(/[├└]── ([\w-]+\.ts) \(/g)].map(([, file]) => file);
    expect(held).toEqual(expect.arrayContaining(["counter.ts", "greeter.ts", args.at(-1)]));
    // The runtime has a file of this name as well.
    expect(held.filter((file) => file === "worker.ts")).toHaveLength(args.length === 1 ? 1 : 2);
  },
  DEADLINE_MS,
);

// A machine without a network cannot have what Deno fetches.
const canDenoCompile = (await denoCompile(["-o", join(apart, "probe"), "one-file.ts"])).code === 0;

test.skipIf(!canDenoCompile).each(entries)(
  "A program of actors compiled by deno compile, %s, runs by itself (skipped where Deno cannot fetch what it compiles with)",
  async (_, args) => {
    const app = join(apart, "app");
    expect(await denoCompile(["-o", app, ...args])).toMatchObject({ code: 0 });
    expect(await runToEnd([app], folder)).toMatchObject({ code: 0, stdout: printed });
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
