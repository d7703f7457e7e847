import { expect, test } from "bun:test";
import { parseIp } from "../http/ip-address.ts";
import { Problem } from "../model/problem.ts";
import { type Attempt, attempts, type Refusal } from "./attempts.ts";

function table(more: { delays?: boolean } = {}) {
  const clock = { nowMs: 1_000_000 };
  const refusals: Refusal[] = [];
  const made = attempts({ now: () => clock.nowMs, delays: true, refused: (each) => refusals.push(each), ...more });
  const begin = (emailKey: string, address: string | undefined) =>
    made.begin({ emailKey, address: address === undefined ? undefined : parseIp(address) });
  /** What a wrong password is answered: its code, and for how long to wait. */
  const wrong = (emailKey: string, address?: string): [string, number] => {
    let problem: unknown;
    try {
      problem = begin(emailKey, address).wrong();
    } catch (thrown) {
      problem = thrown;
    }
    if (!(problem instanceof Problem)) throw problem;
    return [problem.code, Number(problem.headers["retry-after"] ?? 0)];
  };
  const right = (emailKey: string, address?: string): boolean => {
    try {
      begin(emailKey, address).right();
      return true;
    } catch (thrown) {
      if (thrown instanceof Problem && thrown.code === "rate-limited") return false;
      throw thrown;
    }
  };
  const wrongTimes = (times: number, emailKey: string, address?: string) =>
    Array.from({ length: times }, () => wrong(emailKey, address)[0]);
  return { ...made, begin, wrong, right, wrongTimes, clock, refusals };
}
const wrongOnes = (times: number): string[] => Array.from({ length: times }, () => "invalid-credentials");
const here = "192.0.2.7";

test("five wrong ones are told, from the sixth on there is a delay that grows to fifteen minutes", () => {
  const { wrong, wrongTimes, clock } = table();
  expect(wrongTimes(5, "ada", here)).toEqual(wrongOnes(5));
  const delaysS: number[] = [];
  for (let round = 0; round < 14; round += 1) {
    const [code, retryAfterS] = wrong("ada", here);
    expect(code).toBe("rate-limited");
    delaysS.push(retryAfterS);
    // What comes too early changes nothing.
    clock.nowMs += 999;
    expect(wrong("ada", here)[0]).toBe("rate-limited");
    clock.nowMs += retryAfterS * 1_000 - 999;
    expect(wrong("ada", here)).toEqual(["invalid-credentials", 0]);
  }
  expect(delaysS).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900, 900]);
});

test("the sixth is let in when it is right, and so is whoever waited; the row ends with it", () => {
  const { right, wrong, wrongTimes, clock } = table();
  wrongTimes(5, "ada", here);
  expect(right("ada", here)).toBe(true);
  expect(wrongTimes(5, "ada", here)).toEqual(wrongOnes(5));
  const [, retryAfterS] = wrong("ada", here);
  expect(right("ada", here)).toBe(false);
  clock.nowMs += retryAfterS * 1_000 - 1;
  expect(right("ada", here)).toBe(false);
  clock.nowMs += 1;
  expect(right("ada", here)).toBe(true);
  expect(wrongTimes(5, "ada", here)).toEqual(wrongOnes(5));
});

test("who comes from elsewhere is not hindered, who comes from the same network is", () => {
  const { right, wrongTimes } = table();
  wrongTimes(9, "ada", "192.0.2.7");
  wrongTimes(9, "bob", "2001:db8:0:1::7");
  expect([right("ada", "192.0.2.8"), right("bob", "2001:db8:0:1:ffff::1")]).toEqual([false, false]);
  expect([right("ada", "192.0.3.7"), right("bob", "2001:db8:0:2::7"), right("ada", undefined)]).toEqual([
    true,
    true,
    true,
  ]);
});

test("an address that tries many accounts waits five seconds at most, whether or not they are there", () => {
  const { wrong, clock } = table();
  let longestS = 0;
  for (let nth = 0; nth < 40; nth += 1) {
    const [code, retryAfterS] = wrong(`account ${nth}`, here);
    expect(code).toBe(nth < 5 || (nth % 2 === 0 && nth > 5) ? "invalid-credentials" : "rate-limited");
    longestS = Math.max(longestS, retryAfterS);
    clock.nowMs += retryAfterS * 1_000;
  }
  expect(longestS).toBe(5);
});

test("who was right from an address before is let in though others try there; a wrong one is refused as theirs", () => {
  const { right, wrong, wrongTimes } = table();
  expect(right("ada", here)).toBe(true);
  for (let nth = 0; nth < 9; nth += 1) wrongTimes(1, `account ${nth}`, here);
  expect(right("new", here)).toBe(false);
  expect(wrong("ada", here)[0]).toBe("rate-limited");
  expect(right("ada", here)).toBe(true);
});

test("an account is known where it was right, until a row of wrong ones", () => {
  const { isKnown, right, wrongTimes } = table();
  const of = { emailKey: "ada", address: parseIp(here) };
  expect(isKnown(of)).toBe(false);
  right("ada", here);
  wrongTimes(4, "ada", here);
  expect([
    isKnown(of),
    isKnown({ ...of, address: parseIp("198.51.100.1") }),
    isKnown({ ...of, emailKey: "bob" }),
  ]).toEqual([...[true, false, false]]);
  wrongTimes(1, "ada", here);
  expect(isKnown(of)).toBe(false);
});

test("who has just been trusted starts anew", () => {
  const { trust, right, wrongTimes } = table();
  wrongTimes(9, "ada", here);
  trust({ emailKey: "ada", address: parseIp(here) });
  expect(right("ada", here)).toBe(true);
});

test("many at once are counted before they are decided, and what is not looked at does not count", () => {
  const { begin, right } = table();
  const six = Array.from({ length: 6 }, () => begin("ada", here));
  expect(() => begin("ada", here)).toThrow(Problem);
  for (const each of six as Attempt[]) each.dropped();
  expect(right("ada", here)).toBe(true);
  const wrongs = Array.from({ length: 6 }, () => begin("ada", here)).map((each): string => each.wrong().code);
  expect(wrongs).toEqual(wrongOnes(6));
  expect(right("ada", here)).toBe(false);
});

test("a row is over after an hour, and a clock that was put back locks nobody out", () => {
  const { wrongTimes, clock } = table();
  wrongTimes(9, "ada", here);
  clock.nowMs += 3_600_000;
  expect(wrongTimes(5, "ada", here)).toEqual(wrongOnes(5));
  clock.nowMs -= 3_600_001;
  expect(wrongTimes(5, "ada", here)).toEqual(wrongOnes(5));
});

test("each refusal is told with its address, and of the account only a name that is nobody's", () => {
  const { wrongTimes, refusals } = table();
  wrongTimes(7, "ADA@EXAMPLE.COM", "::ffff:192.0.2.7");
  wrongTimes(1, "BOB@EXAMPLE.COM", undefined);
  const [first] = refusals;
  expect(first?.account).toMatch(/^[0-9a-f]{16}$/);
  const of = { account: first?.account as string, address: here };
  const codes = [...wrongOnes(5), "rate-limited", "rate-limited"] as Refusal["code"][];
  expect(refusals.slice(0, 7)).toEqual(codes.map((code) => ({ code, ...of })));
  expect(refusals[7]).toMatchObject({ code: "invalid-credentials", address: "unknown" });
  expect(refusals[7]?.account).not.toBe(first?.account);
});

test("without delays wrong ones are told, however many", () => {
  const { wrongTimes, refusals } = table({ delays: false });
  expect(wrongTimes(50, "ada", here)).toEqual(wrongOnes(50));
  expect(refusals).toHaveLength(50);
});

test("the table is bounded: the oldest rows go first", () => {
  const { wrongTimes, right, clock } = table();
  wrongTimes(9, "ada", here);
  for (let nth = 0; nth < 100_000; nth += 1) {
    const third = (nth >> 8) & 0xff;
    wrongTimes(1, `account ${nth}`, `10.${nth >> 16}.${third}.${nth & 0xff}`);
  }
  clock.nowMs += 1;
  expect(right("ada", here)).toBe(true);
});
