import { describe, expect, test } from "bun:test";
import type { Answer, Call } from "../http/route.ts";
import { lists } from "./lists.ts";
import type { Reader } from "./ports.ts";

const reader: Reader = { userId: "ann", token: undefined };
const call = (path = "/v1/tasks"): Call => ({ request: new Request(`http://localhost.local${path}`) }) as Call;
const bodyOf = (answer: Answer) => (answer as { json: string }).json;

/** Pages of one space at a `seq` that a test moves on, each made when the test says so. */
function place() {
  const state = { seq: 1, isStale: false };
  const open: ((text: string) => void)[] = [];
  const made = lists({
    reads: { epoch: async () => "0123456789" },
    consistent: { isStale: async () => state.isStale, projectedSeq: () => state.seq, replica: () => undefined },
  });
  const read = () => new Promise<string>((resolve) => void open.push(resolve));
  const ask = async (asking: Reader = reader, path?: string) => made.page(call(path), asking, () => ["ann"], read);
  /** Until all that was asked has come as far as it can. */
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { state, open, ask, turn };
}

describe("Pages that are asked for at the same time", () => {
  test("are read once, and so is the next at another `seq`", async () => {
    const { state, open, ask, turn } = place();
    const first = Array.from({ length: 100 }, () => ask());
    await turn();
    expect(open.length).toBe(1);
    state.seq = 2;
    const second = Array.from({ length: 100 }, () => ask());
    await turn();
    expect(open.length).toBe(2);
    open[0]?.("one");
    open[1]?.("two");
    expect(new Set((await Promise.all(first)).map(bodyOf))).toEqual(new Set(["one"]));
    expect(new Set((await Promise.all(second)).map(bodyOf))).toEqual(new Set(["two"]));
  });

  test("are read for each reader and each list by itself", async () => {
    const { open, ask, turn } = place();
    void ask();
    void ask({ userId: "ben", token: undefined });
    void ask(reader, "/v1/tasks?limit=1");
    await turn();
    expect(open.length).toBe(3);
  });

  test("that may be stale are read once as well, but anew for a reader with a token", async () => {
    const { state, open, ask, turn } = place();
    state.isStale = true;
    const shared = [ask(), ask()];
    await turn();
    expect(open.length).toBe(1);
    const exact = ask({ ...reader, token: { partition: 0, offset: 5 } });
    await turn();
    expect(open.length).toBe(2);
    open[0]?.("old");
    open[1]?.("new");
    expect((await Promise.all(shared)).map(bodyOf)).toEqual(["old", "old"]);
    expect(bodyOf(await exact)).toBe("new");
  });

  test("are not shared with those who ask when one could not be read", async () => {
    const failing = lists({
      reads: { epoch: async () => "0123456789" },
      consistent: { isStale: () => false, projectedSeq: () => 1, replica: () => undefined },
    });
    let reads = 0;
    const read = async () => {
      reads += 1;
      if (reads === 1) throw new Error("away");
      return "there";
    };
    const page = async () => failing.page(call(), reader, () => ["ann"], read);
    await expect(page()).rejects.toThrow("away");
    expect(bodyOf(await page())).toBe("there");
  });
});
