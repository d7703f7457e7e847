/** What a newcomer gets: the packed tarball, installed into an empty folder, with the README's example and those of examples/. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandOf, platforms, type Result, runToEnd } from "./programs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const runtime = join(root, "runtime");
const bin = (name: string): string => join(root, "node_modules", ".bin", name);
const read = (...path: string[]): string => readFileSync(join(runtime, ...path), "utf8");
type Manifest = { name: string; version: string; exports: Record<string, unknown> };
const manifest = JSON.parse(read("package.json")) as Manifest;
const jsr = JSON.parse(read("deno.json")) as Manifest;
const DEADLINE_MS = 300_000;

/** Examples with what each prints. */
const examples = readdirSync(join(runtime, "examples")).map((name) => ({
  name,
  printed: read("examples", name, "output.txt"),
}));
/** The files of the README's example. */
const filesIn = (text: string) => [...text.matchAll(/```ts\n\/\/ (\S+\.ts)\n([\s\S]*?)```/g)];
const quickStart = filesIn(read("README.md"));
/** The same as a program that can be built, which the page on bundling has. */
const built = [...quickStart.filter(([, name]) => name !== "main.ts"), ...filesIn(read("docs", "bundling.md"))];

let folder: string;
let packed: string[] = [];

async function must(command: readonly string[], cwd: string): Promise<Result> {
  const result = await runToEnd(command, cwd);
  expect({ command: command.join(" "), ...result }).toMatchObject({ code: 0 });
  return result;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "package-"));
  const { stdout } = await must(["npm", "pack", "--json", "--pack-destination", folder], runtime);
  // The build may print before it.
  const [tarball] = JSON.parse(stdout.slice(stdout.indexOf("[\n"))) as {
    filename: string;
    files: { path: string }[];
  }[];
  packed = (tarball?.files ?? []).map(({ path }) => path);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", private: true }));
  await must(["npm", "install", "--offline", "--no-audit", "--no-fund", `./${tarball?.filename}`], folder);
  for (const { name } of examples) {
    cpSync(join(runtime, "examples", name), join(folder, name), { recursive: true });
    for (const file of readdirSync(join(folder, name))) {
      const path = join(folder, name, file);
      const text = readFileSync(path, "utf8");
      writeFileSync(
        path,
        text
          .replaceAll('"../../mod.ts"', `"${manifest.name}"`)
          .replaceAll(/"\.\.\/\.\.\/(\w+)\.ts"/g, `"${manifest.name}/$1"`),
      );
    }
  }
  for (const [place, files] of [
    ["readme", quickStart],
    ["readme-to-build", built],
  ] as const) {
    mkdirSync(join(folder, place));
    for (const [, name = "", text = ""] of files) writeFileSync(join(folder, place, name), text);
  }
}, DEADLINE_MS);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("The package says the same for npm and for JSR, and its exports exist in both", () => {
  expect([jsr.name, jsr.version]).toEqual([manifest.name, manifest.version]);
  const paths = Object.keys(manifest.exports).filter((path) => path !== "./package.json");
  expect(Object.keys(jsr.exports)).toEqual(paths);
  for (const source of Object.values(jsr.exports)) expect(existsSync(join(runtime, source as string))).toBe(true);
  for (const path of paths)
    for (const file of Object.values(manifest.exports[path] as Record<string, string>))
      expect(packed).toContain(file.slice("./".length));
});

test("The tarball holds what is built, README and licence, and no test and no source", () => {
  const others = packed.filter(
    (path) => !/^docs\/[a-z-]+\.md$/.test(path) && !/^dist\/[a-z-]+\.(js|d\.ts)$/.test(path),
  );
  expect(others.sort()).toEqual(["LICENSE", "README.md", "package.json"]);
  expect(packed.filter((path) => /test|harness/.test(path) && !/^(dist|docs)\/testing\./.test(path))).toEqual([]);
});

test("The README's example is twenty lines of code", () => {
  const lines = quickStart
    .flatMap(([, , text = ""]) => text.split("\n"))
    .filter((line) => line.trim() !== "" && !line.startsWith("import"));
  expect(quickStart.map(([, name]) => name)).toEqual(["counter.ts", "main.ts"]);
  expect(lines.length).toBeLessThanOrEqual(20);
});

test.each(platforms)(
  "Installed into an empty folder, all examples and the README's print on %s what they are to",
  async (platform) => {
    const command = await commandOf(platform);
    expect(await must([...command, "readme/main.ts"], folder)).toMatchObject({ stdout: "5050\n" });
    for (const { name, printed } of examples)
      expect({ name, ...(await must([...command, `${name}/main.ts`], folder)) }).toMatchObject({
        name,
        stdout: printed,
      });
  },
  DEADLINE_MS,
);

describe("An example that is built", () => {
  test.each([...examples, { name: "readme-to-build", printed: "5050\n" }])(
    "runs on Bun, Deno and Node in one file, and compiled by itself: $name",
    async ({ name, printed }) => {
      const place = mkdtempSync(join(tmpdir(), "built-"));
      try {
        const file = join(place, "app.js");
        await must([bin("bun"), "build", `${name}/main.ts`, "--target", "node", "--outfile", file], folder);
        for (const platform of platforms) {
          const result = await must([...(await commandOf(platform)), file], place);
          expect({ platform, ...result }).toMatchObject({ platform, stdout: printed });
        }
        await must([bin("bun"), "build", "--compile", `${name}/main.ts`, "--outfile", join(place, "app")], folder);
        expect(await must([join(place, "app")], place)).toMatchObject({ stdout: printed });
      } finally {
        rmSync(place, { recursive: true, force: true });
      }
    },
    DEADLINE_MS,
  );
});

test(
  "Its types hold in a project of its users: strict, for Node's way of finding modules, libraries included",
  async () => {
    const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"];
    const modules = ["--module", "nodenext", "--target", "esnext", "--allowImportingTsExtensions"];
    const types = ["--typeRoots", join(root, "node_modules", "@types"), "--types", "node"];
    const files = [...examples.map(({ name }) => `${name}/main.ts`), "readme/main.ts", "readme-to-build/main.ts"];
    const { stdout } = await runToEnd([bin("tsc"), ...options, ...modules, ...types, ...files], folder);
    expect(stdout).toBe("");
  },
  DEADLINE_MS,
);

test(
  "JSR would take it: deno publish --dry-run, with no slow types",
  async () => {
    const place = mkdtempSync(join(tmpdir(), "jsr-"));
    try {
      cpSync(runtime, place, { recursive: true, filter: (path) => !/\/(dist|package\.json)$/.test(path) });
      const { code, stderr } = await runToEnd([bin("deno"), "publish", "--dry-run", "--allow-dirty"], place);
      const told = Bun.stripANSI(stderr);
      expect({ code, told }).toMatchObject({ code: 0, told: expect.stringContaining("Dry run complete") });
      // The module of an actor that has an address is loaded by it: the one import that cannot be written out.
      const warnings = [...told.matchAll(/warning\[([a-z-]+)\][\s\S]*?\/(\w+\.ts):/g)].map(([, what, file]) => ({
        what,
        file,
      }));
      expect(warnings).toEqual([{ what: "unanalyzable-dynamic-import", file: "modules.ts" }]);
      expect(
        [...told.matchAll(/file:\S+\/([\w.-]+) \(/g)]
          .map(([, file]) => file)
          .filter((file) => /\.ts$/.test(file ?? "") && /test|dist/.test(file ?? "")),
      ).toEqual(["testing.ts"]);
    } finally {
      rmSync(place, { recursive: true, force: true });
    }
  },
  DEADLINE_MS,
);
