import { expect, test } from "bun:test";
import { readOutput, summary } from "./output.ts";

const good =
  "bun test v1.4.5\n\ntests/a.test.ts:\n(pass) one [1.00ms]\n(skip) two\n\n 1 pass\n 1 skip\n 0 fail\n 3 expect() calls\nRan 2 tests across 1 file. [5.00ms]\n";

test("the numbers are those of the run, and its own summary is left out of the text", () => {
  expect(readOutput(good)).toEqual({
    pass: 1,
    fail: 0,
    skip: 1,
    failed: [],
    text: "bun test v1.4.5\n\ntests/a.test.ts:\n(pass) one [1.00ms]\n(skip) two",
  });
});

test("a real failing beforeAll is told once with its reason, whatever its afterAll says then", () => {
  const folder = `${import.meta.dir}/fixtures`;
  const { stderr, stdout, exitCode } = Bun.spawnSync([process.execPath, "test", `${folder}/broken-hook.ts`]);
  expect(exitCode).not.toBe(0);
  const outcome = readOutput(`${stdout}${stderr}`);
  expect(outcome.hookFault).toBe("error: Cannot start the system");
  const told = summary([{ name: "a.test.ts", code: 1, outcome }], 61_000);
  expect(told.match(/a\.test\.ts/g)).toHaveLength(1);
  expect(told).toContain("a.test.ts: could not be set up, so its tests did not run: error: Cannot start the system\n");
  expect(told).toContain("1 files in 1 min 1 s");
});

test("failed tests are listed by file and title, and a run that ended without one by its exit code", () => {
  const bad = readOutput("error: no\n(fail) group > it breaks [2.00ms]\n 0 pass\n 1 fail\n");
  const results = [
    { name: "a", code: 1, outcome: bad },
    { name: "b", code: 0, outcome: readOutput(good) },
    { name: "c", code: null, outcome: readOutput("") },
  ];
  const told = summary(results, 1_000);
  expect(told).toContain("  a: group > it breaks\n  c: ended with a signal\n");
  expect(told).toContain("\n 1 pass\n 1 skip\n 1 fail\n");
});
