import { expect, test } from "bun:test";
import { type Frame, readFrame } from "./frame.ts";

test("A frame is read as it was written, in order", () => {
  const frame: Frame = [
    "add",
    { by: 1 },
    0,
    ["00-trace", "task"],
    "total",
    null,
    7,
    1_000,
    7,
    "sum",
    -8,
    ["Error", "no", null, ""],
    0,
    3,
    null,
    9,
    "add",
    null,
    0,
  ];
  const read: unknown[] = [];
  readFrame(JSON.parse(JSON.stringify(frame)), {
    message: (...message) => read.push(message),
    answer: (...answer) => read.push(answer),
    failure: (...failure) => read.push(failure),
    space: (slot) => read.push(slot),
    givenUp: (id) => read.push(`${id} given up`),
  });
  expect(read).toEqual([
    ["add", { by: 1 }, 0, undefined, undefined],
    ["total", null, 7, 1_000, ["00-trace", "task"]],
    [7, "sum"],
    [8, ["Error", "no", null, ""]],
    3,
    "9 given up",
    ["add", null, 0, undefined, undefined],
  ]);
});
