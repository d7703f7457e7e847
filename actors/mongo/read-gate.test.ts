import { describe, expect, test } from "bun:test";
import { Problem } from "../model/problem.ts";
import { readGate } from "./read-gate.ts";

const bounds = { atOnce: 2, waitingMax: 3, readMs: 50, waitMs: 1_000 };

/** Reads that end when they are told to, in the order in which they began. */
function reads() {
  const begun: string[] = [];
  const ends = new Map<string, { resolve: (name: string) => void; reject: (why: Error) => void }>();
  const read = (name: string) => () =>
    new Promise<string>((resolve, reject) => {
      begun.push(name);
      ends.set(name, { resolve, reject });
    });
  return { begun, read, end: (name: string) => ends.get(name)?.resolve(name) };
}

describe("A gate of reads", () => {
  test("runs so many at a time, the others in the order in which they came, and answers all", async () => {
    const gate = readGate({ ...bounds, readMs: 5_000, now: () => performance.now() });
    const { begun, read, end } = reads();
    const answers = ["a", "b", "c", "d", "e"].map((name) => gate(read(name)));
    expect(begun).toEqual(["a", "b"]);
    end("b");
    expect(await answers[1]).toBe("b");
    expect(begun).toEqual(["a", "b", "c"]);
    for (const name of ["a", "c", "d", "e"]) {
      end(name);
      await answers["abcde".indexOf(name)];
    }
    expect(await Promise.all(answers)).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("refuses what would wait behind too many, and what has waited for too long", async () => {
    let nowMs = 0;
    const gate = readGate({ ...bounds, readMs: 5_000, now: () => nowMs });
    const { read, end } = reads();
    const [first, second, late] = ["a", "b", "c"].map((name) => gate(read(name)));
    void gate(read("d")).catch(() => undefined);
    void gate(read("e")).catch(() => undefined);
    await expect(gate(read("f"))).rejects.toBeInstanceOf(Problem);
    nowMs = 1_001;
    end("a");
    await first;
    await expect(late).rejects.toMatchObject({ code: "overloaded" });
    end("b");
    await second;
  });

  test("tells those who wait at once when nothing is read in the time of a read", async () => {
    const gate = readGate({ ...bounds, now: () => performance.now() });
    const { begun, read } = reads();
    const answers = await Promise.allSettled(["a", "b", "c", "d"].map((name) => gate(read(name))));
    expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "rejected"]);
    expect(begun).toEqual(["a", "b"]);
  });

  test("goes on with those who wait when one of several fails", async () => {
    const gate = readGate({ ...bounds, readMs: 5_000, now: () => performance.now() });
    const failing = gate(() => Promise.reject(new Error("no")));
    const others = ["b", "c"].map((name) => gate(async () => name));
    await expect(failing).rejects.toThrow("no");
    expect(await Promise.all(others)).toEqual(["b", "c"]);
  });
});
