/** Rules of the tree that no compiler keeps: who may import whom, what no file may contain, and that what is written down exists. */
import { describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize } from "node:path";

const root = join(import.meta.dir, "..");
const listed = Bun.spawnSync(["git", "ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root });
const everything = listed.stdout
  .toString()
  .split("\n")
  .filter((path) => path !== "" && existsSync(join(root, path)));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const sources = new Map(everything.filter((path) => /\.tsx?$/.test(path)).map((path) => [path, read(path)]));
const isTest = (path: string): boolean =>
  /\.test\.ts$/.test(path) || /^(runtime\/)?tests\//.test(path) || /-for-tests\.ts$/.test(path);
const code = [...sources.keys()].filter((path) => !isTest(path));
const roles = ["auth", "consumer", "courier", "follower", "keeper", "task"];

/** What a file names: packages as they are, own files as paths from the root. */
function importsOf(path: string): string[] {
  const text = sources.get(path) ?? "";
  const named = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*"([^"]+)"|new URL\(\s*"([^"]+)"/g)].map(
    ([, a, b]) => a ?? b ?? "",
  );
  return named
    .filter((each) => !each.startsWith("file:"))
    .map((each) => (each.startsWith(".") ? normalize(join(dirname(path), each)) : each));
}

/** Each pair "file → import" that the rule refuses. */
function refused(files: readonly string[], rule: (imported: string, by: string) => boolean): string[] {
  return files.flatMap((by) =>
    importsOf(by)
      .filter((imported) => !rule(imported, by))
      .map((imported) => `${by} → ${imported}`),
  );
}

describe("imports point one way", () => {
  test("the runtime knows nothing of the actors and needs no package", () => {
    const files = [...sources.keys()].filter((path) => path.startsWith("runtime/"));
    const ofTests = ["bun:test", "fast-check"];
    expect(
      refused(
        files,
        (imported, by) =>
          imported.startsWith("runtime/") || imported.startsWith("node:") || (isTest(by) && ofTests.includes(imported)),
      ),
    ).toEqual([]);
  });

  test.each(roles)("%s knows of the other roles their messages only", (role) => {
    const files = code.filter((path) => path.startsWith(`actors/${role}/`));
    const shared =
      /^(runtime|actors\/(model|resources|http|metrics|tracing|health|kafka|mongo|redis|postgres|sqlite|auth-client))\/|^actors\/(cause|outage|servers|waiting)\.ts$|^(?!actors\/|tests\/|bench\/|docs\/)/;
    const wrong = refused(
      files,
      (imported) =>
        shared.test(imported) ||
        imported.startsWith(`actors/${role}/`) ||
        /^actors\/[a-z]+\/messages\.ts$/.test(imported),
    );
    expect(wrong).toEqual([]);
  });

  test("what the roles share knows no role", () => {
    const files = code.filter((path) => /^actors\/(model|resources|http|metrics|tracing|health|sqlite)\//.test(path));
    expect(
      refused(
        files,
        (imported) =>
          !roles.some((role) => imported.startsWith(`actors/${role}/`)) || imported.endsWith("/messages.ts"),
      ),
    ).toEqual([]);
  });

  test("only main looks into the roles", () => {
    const files = code.filter(
      (path) =>
        /^actors\/(?:(?:process|health)\/)?[^/]+\.ts$/.test(path) &&
        !["actors/main.ts", "actors/start.ts"].includes(path),
    );
    expect(
      refused(
        files,
        (imported) => !/^actors\/(auth|task|consumer)\//.test(imported) || imported.endsWith("/messages.ts"),
      ),
    ).toEqual([]);
  });

  test("no program file imports a test's", () => {
    expect(refused(code, (imported) => !sources.has(imported) || !isTest(imported))).toEqual([]);
  });
});

test("every file is used", () => {
  const scripts = Object.values((JSON.parse(read("package.json")) as { scripts: Record<string, string> }).scripts).join(
    " ",
  );
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const next of importsOf(path)) if (sources.has(next)) visit(next);
  };
  for (const path of sources.keys()) if (path.endsWith(".test.ts") || scripts.includes(path)) visit(path);
  // What the runtime's package exports, and its examples, are for others.
  const { exports } = JSON.parse(read("runtime/deno.json")) as { exports: Record<string, string> };
  for (const path of Object.values(exports)) visit(normalize(join("runtime", path)));
  for (const path of sources.keys()) if (/^runtime\/examples\/\w+\/main\.ts$/.test(path)) visit(path);
  // Fixtures and benchmark parts are often started by a name that is put together: being named anywhere is enough for them.
  const isNamed = (path: string): boolean => {
    const stem = (path.split("/").at(-1) ?? "").replace(/(-\w+)?\.ts$/, "");
    return [...sources].some(([by, text]) => by !== path && text.includes(stem));
  };
  for (const path of sources.keys()) if (/^(tests|bench)\//.test(path) && isNamed(path)) visit(path);
  const unused = [...sources.keys()].filter((path) => !reached.has(path) && !path.endsWith(".d.ts"));
  expect(unused).toEqual([]);
});

const banned: { what: RegExp; instead: string; except?: RegExp }[] = [
  { what: /\bconsole\.\w/, instead: "self.log, or the logger", except: /^(bench|runtime\/examples)\// },
  {
    what: /\bas any[;,.)\]]|: any[;,)\]]|<any[,>]/,
    instead: "unknown, and a check",
    except: /^runtime\/(actor|simulator)\.ts$/,
  },
  {
    what: /@ts-(ignore|expect-error|nocheck)/,
    instead: "a type that fits",
    except: /^runtime\/.*\.test\.ts$|^tests\//,
  },
  {
    what: /\bprocess\.env\b|\bBun\.env\b/,
    instead: "readConfig() in actors/config.ts",
    except: /^actors\/config\.ts$|^(tests|bench|deploy)\//,
  },
  { what: /(?:\/\/|^\s*\/?\*).*(?:\bTO[D]O\b|\bFIX[M]E\b|\bX{3}\b)/m, instead: "the thing itself, or an issue" },
  { what: /\.only\(/, instead: "all tests" },
  { what: /from "(?:fs|path|os|crypto|net|http|worker_threads|child_process|util)"/, instead: "the node: name" },
  { what: /\b(jest|vi)\.(mock|fn|spyOn)\b|mock\.module\(/, instead: "the real part" },
];
test.each(banned)("no file contains $what (use $instead)", ({ what, except }) => {
  const files = [...sources.entries()].filter(([path]) => path !== "tests/tidy.test.ts" && except?.test(path) !== true);
  // A line that the linter was told to let pass, with the reason, passes here too.
  const without = (text: string) => text.replace(/\/\/ biome-ignore [^\n]+\n[^\n]*/g, "");
  expect(files.filter(([, text]) => what.test(without(text))).map(([path]) => path)).toEqual([]);
});

/** Files that wait inside a client under test, each with the reason. */
const timedFiles: Record<string, string> = {
  "runtime/test-kit.test.ts": "its actor sleeps in virtual time",
  "runtime/keyed.test.ts": "its actors sleep in virtual time",
  "runtime/group.test.ts": "its actors sleep in virtual time",
  "tests/faults.test.ts": "its clients pause between tries while the server is away, as real ones do",
};
test("no test sleeps for a fixed time: it polls with a deadline", () => {
  const sleeps = /\b(?:Bun\.)?sleep(?:Sync)?\(|await new Promise\(\(?\w+\)? => setTimeout\(\w+, [\d_]+\)\)/;
  const files = [...sources.entries()].filter(
    ([path]) => path.endsWith(".test.ts") && path !== "tests/tidy.test.ts" && !(path in timedFiles),
  );
  expect(files.filter(([, text]) => sleeps.test(text)).map(([path]) => path)).toEqual([]);
});

/** Longer files, each with the reason why it is one subject. */
const longFiles: Record<string, string> = {
  "clients/typescript/src/types.ts": "made from the OpenAPI document",
  "runtime/cell.ts": "the turns of one actor: its mailbox, handlers and batches",
  "runtime/child-handle.ts": "the main thread's side of one actor, generation after generation",
  "runtime/simulator.ts": "a whole system in one thread",
  "runtime/supervisor.ts": "the supervisor's decisions, all of them",
};
test("no file is longer than 350 lines without a reason", () => {
  const long = [...sources.entries()]
    .filter(([path, text]) => !path.endsWith(".test.ts") && text.split("\n").length > 351)
    .map(([path]) => path);
  expect(long.filter((path) => !(path in longFiles))).toEqual([]);
});

test("no folder or file is a drawer for everything", () => {
  expect(everything.filter((path) => /(^|\/)(utils?|helpers?|common|misc|index)(\.ts|\/)/.test(path))).toEqual([]);
});

test("the linter refuses a promise that nobody waits for, an any and a console", () => {
  const folder = mkdtempSync(join(tmpdir(), "tidy-test-"));
  try {
    const settings = JSON.parse(read("biome.json")) as Record<string, unknown>;
    writeFileSync(
      join(folder, "biome.json"),
      JSON.stringify({ ...settings, $schema: undefined, vcs: { enabled: false } }),
    );
    const probe = [
      "async function later() {}",
      "export const now = (what: any) => {",
      "  later();",
      "  console.log(what);",
      "};",
    ];
    writeFileSync(join(folder, "probe.ts"), `${probe.join("\n")}\n`);
    const { stdout, stderr } = Bun.spawnSync(
      [process.execPath, join(root, "node_modules", ".bin", "biome"), "lint", "."],
      { cwd: folder },
    );
    const found = [...`${stdout}${stderr}`.matchAll(/probe\.ts:\d+:\d+ lint\/\w+\/(\w+)/g)].map(([, rule]) => rule);
    expect(found.sort()).toEqual(["noConsole", "noExplicitAny", "noFloatingPromises"]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("both lock files name the same versions, and no host of their own", () => {
  const npm = new Map<string, Set<string>>();
  const add = (to: Map<string, Set<string>>, name: string, version: string) =>
    to.set(name, (to.get(name) ?? new Set()).add(version));
  const packages = (
    JSON.parse(read("package-lock.json")) as { packages: Record<string, { version: string; resolved?: string }> }
  ).packages;
  for (const [path, { version, resolved }] of Object.entries(packages)) {
    if (path === "") continue;
    add(npm, path.split("node_modules/").at(-1) ?? "", version);
    expect(resolved, path).toBeUndefined();
  }
  const bun = new Map<string, Set<string>>();
  for (const [, name = "", version = "", from = ""] of read("bun.lock").matchAll(
    /^ {4}"[^"]+": \["(@?[^@"]+)@([^"]+)", "([^"]*)"/gm,
  )) {
    add(bun, name, version);
    expect(from).toBe("");
  }
  expect(bun.size).toBeGreaterThan(20);
  // Bun leaves out what its registry did not have for other machines; whatever both name must agree, and only that may be missing.
  const differing = [...npm]
    .filter(([name, versions]) => bun.has(name) && !Bun.deepEquals(versions, bun.get(name)))
    .map(([name]) => name);
  const missing = [...npm.keys()].filter((name) => !bun.has(name) && !/^@(biomejs\/cli|deno)[-/]/.test(name));
  const extra = [...bun.keys()].filter((name) => !npm.has(name));
  expect({ differing, missing, extra }).toEqual({ differing: [], missing: [], extra: [] });
});

const pages = everything.filter((path) => path.endsWith(".md"));
test.each(pages)("every link of %s leads somewhere", (page) => {
  const broken = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : normalize(join(dirname(page), path));
      if (!existsSync(join(root, target))) return true;
      return anchor !== undefined && target.endsWith(".md") && !anchorsOf(read(target)).includes(anchor);
    });
  expect(broken).toEqual([]);
});

/** Headings as the usual hosts name them. */
function anchorsOf(text: string): string[] {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
