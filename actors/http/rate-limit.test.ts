import { expect, test } from "bun:test";
import { Problem } from "../model/problem.ts";
import { bearerToken } from "./bearer.ts";
import { rateLimiter } from "./rate-limit.ts";

function refused(run: () => unknown): Problem {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown;
  }
  throw new Error("It was not refused");
}

test("each user has the whole limit, and the headers count it down", () => {
  let nowMs = 1_000;
  const limiter = rateLimiter({ requests: 2, windowS: 10 }, () => nowMs);
  expect(limiter.take("a")).toEqual({ "ratelimit-policy": '"default";q=2;w=10', ratelimit: '"default";r=1;t=10' });
  nowMs += 2_500;
  expect(limiter.take("a")).toMatchObject({ ratelimit: '"default";r=0;t=8' });
  const { code, headers } = refused(() => limiter.take("a"));
  expect(code).toBe("rate-limited");
  expect(headers).toEqual({
    "ratelimit-policy": '"default";q=2;w=10',
    ratelimit: '"default";r=0;t=8',
    "retry-after": "8",
  });
  expect(limiter.take("b")).toMatchObject({ ratelimit: '"default";r=1;t=8' });
});

test("a request that is refused for another reason counts, and is told so though nothing is left", () => {
  const limiter = rateLimiter({ requests: 2, windowS: 10 }, () => 1_000);
  for (const left of [1, 0, 0]) expect(limiter.note("a")).toMatchObject({ ratelimit: `"default";r=${left};t=10` });
  expect(refused(() => limiter.take("a")).code).toBe("rate-limited");
});

test("whoever comes back when told to is served", () => {
  let nowMs = 0;
  const limiter = rateLimiter({ requests: 1, windowS: 3 }, () => nowMs);
  limiter.take("a");
  nowMs = 1_200;
  nowMs += Number(refused(() => limiter.take("a")).headers["retry-after"]) * 1000;
  expect(limiter.take("a")).toMatchObject({ ratelimit: '"default";r=0;t=3' });
});

test("a clock that jumps back locks nobody out", () => {
  let nowMs = 1_000_000;
  const limiter = rateLimiter({ requests: 1, windowS: 60 }, () => nowMs);
  limiter.take("a");
  nowMs = 5;
  expect(limiter.take("a")).toMatchObject({ ratelimit: '"default";r=0;t=60' });
});

test.each([
  ["Bearer abc", "abc"],
  ["bearer   a.b-c_d~e+f/g==", "a.b-c_d~e+f/g=="],
  ["Bearer", undefined],
  ["Bearer ", undefined],
  ["Bearer a b", undefined],
  ["Bearer a=b", undefined],
  ["Bearer é", undefined],
  ["Basic abc", undefined],
  ["Bearerabc", undefined],
  ["Bearer abc, Bearer def", undefined],
  [null, undefined],
])("Authorization: %p bears %p", (header, token) => {
  expect(bearerToken(header)).toBe(token);
});
