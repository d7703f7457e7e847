import { expect, test } from "bun:test";
import { logger } from "./log.ts";

const now = () => new Date("2026-01-31T09:30:00.000Z");

function linesOf(terminal: boolean, say: (log: ReturnType<typeof logger>) => void): string[] {
  const lines: string[] = [];
  say(logger({ level: "info", terminal, write: (line) => lines.push(line), now }));
  return lines;
}

test("a machine gets one JSON line per event, from the level asked for", () => {
  const lines = linesOf(false, (log) => {
    log("debug", "unheard", {});
    log("warn", "slow", { ms: 12, text: "two\nlines" });
  });
  expect(lines).toEqual([
    '{"time":"2026-01-31T09:30:00.000Z","level":"warn","event":"slow","ms":12,"text":"two\\nlines"}\n',
  ]);
});

test("a person gets a short line", () => {
  expect(linesOf(true, (log) => log("info", "ready", { port: 3000, why: "a b", none: undefined }))).toEqual([
    '09:30:00.000 info  ready port=3000 why="a b"\n',
  ]);
});

test.each([true, false])("what is named like a secret is hidden, however deep (terminal: %s)", (terminal) => {
  const [line = ""] = linesOf(terminal, (log) =>
    log("error", "x", { accessToken: "hunter2", inner: { password: "hunter2" }, Authorization: "hunter2" }),
  );
  expect(line).not.toContain("hunter2");
});

test.each([true, false])("credentials in a URL are taken out, however deep (terminal: %s)", (terminal) => {
  const url = "mongodb://u:hunter2@a:1,b:2/x";
  const [line = ""] = linesOf(terminal, (log) => log("error", "x", { url, inner: [{ text: `to ${url}` }] }));
  expect(line).not.toContain("hunter2");
  expect(line).toContain("mongodb://a:1,b:2/x");
});

test("a field cannot pass for the line's own", () => {
  const [line = ""] = linesOf(false, (log) => log("error", "x", { level: "info", event: "y" }));
  expect(JSON.parse(line)).toMatchObject({ level: "error", event: "x", level_: "info", event_: "y" });
});

test.each([
  [false, '{"time":"2026-01-31T09:30:00.000Z","level":"info","event":"x","big":"10","loop":"(unwritable)","n":1}\n'],
  [true, "09:30:00.000 info  x big=10 loop=(unwritable) n=1\n"],
])("what JSON cannot write is said to be so, and the rest of the line stands (terminal: %s)", (terminal, line) => {
  const loop: Record<string, unknown> = {};
  loop.loop = loop;
  expect(linesOf(terminal, (log) => log("info", "x", { big: 10n, loop, n: 1 }))).toEqual([line]);
});
