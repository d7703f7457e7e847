import { expect, test } from "bun:test";
import { progressBar, progressReporter, progressText } from "./progress.ts";

const figures = { done: 450_000, total: 1_000_000, elapsedMs: 10_000, unit: "commands" };

test("the text tells how much of how much, how fast and how long still", () => {
  expect(progressText(figures)).toBe("450,000 of 1,000,000 commands, 45,000 a second, 13 s left");
  expect(progressText({ ...figures, total: 100_000_000 })).toEndWith(", 37 min left");
  expect(progressText({ ...figures, done: 0 })).toBe("0 of 1,000,000 commands, 0 a second");
  expect(progressText({ ...figures, elapsedMs: 0 })).toBe("450,000 of 1,000,000 commands, 0 a second");
});

test.each([200, 100, 80, 40, 10, 1])("the bar fits into a terminal of %d columns without its last one", (width) => {
  const bar = progressBar({ ...figures, width });
  expect(bar.length).toBeLessThanOrEqual(Math.max(1, width - 1));
  expect(bar.slice(0, 5)).toBe(" 45 %".slice(0, Math.max(1, width - 1)));
});

test("the bar is filled by the share that is done, and full where there is nothing to do", () => {
  expect(progressBar({ ...figures, width: 120 })).toContain(`[${"#".repeat(13)}${"-".repeat(17)}]`);
  expect(progressBar({ ...figures, done: 0, total: 0, width: 120 })).toStartWith(`100 % [${"#".repeat(30)}]`);
});

function reporter(terminal: boolean) {
  let [written, nowMs] = ["", 0];
  const report = progressReporter({
    write: (text) => (written += text),
    terminal,
    width: 80,
    unit: "commands",
    nowMs: () => nowMs,
  });
  const take = (): string => {
    const text = written;
    written = "";
    return text;
  };
  return { report, take, pass: (ms: number) => (nowMs += ms) };
}

test("at a terminal the bar is drawn over itself, ten times a second at most, and removed in the end", () => {
  const { report, take, pass } = reporter(true);
  report.update(1, 10);
  expect(take()).toStartWith("\r\x1b[K 10 %");
  pass(99);
  report.update(2, 10);
  expect(take()).toBe("");
  pass(1);
  report.update(3, 10);
  expect(take()).toMatch(/^.{2,4} 30 % [^\n]*$/s);
  report.clear();
  expect(take()).toBe("\r\x1b[K");
  report.clear();
  expect(take()).toBe("");
  report.stage("Next");
  report.end();
  expect(take()).toBe("\r\x1b[KNext\r\x1b[K");
  pass(1_000);
  report.update(4, 10);
  expect(take()).toBe("");
});

test("elsewhere a line comes every ten seconds, none of a short command, and each stage at once", () => {
  const { report, take, pass } = reporter(false);
  pass(9_999);
  report.update(1, 10);
  expect(take()).toBe("");
  pass(1);
  report.update(2, 10);
  report.update(3, 10);
  expect(take()).toBe("2 of 10 commands, 0 a second, 40 s left\n");
  report.stage("Next");
  report.end();
  expect(take()).toBe("Next\n");
});
