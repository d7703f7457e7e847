import { expect, test } from "bun:test";
import { actor, tell } from "./actor.ts";
import { loadModule } from "./modules.ts";
import { system } from "./system.ts";
import { child, supervise } from "./tree.ts";
import { serveActors } from "./worker.ts";

const nowhere = actor("nowhere", { go: tell() });
const treeOf = (thread: "own" | "main") =>
  supervise("one_for_one", { intensity: 1, periodMs: 1_000 }, [child(nowhere, { thread })]);

test("An actor is named with or without the address of its module", () => {
  const url = new URL(import.meta.url);
  const accepts = { go: tell() };
  expect(actor("some", url, accepts)).toEqual({ name: "some", module: url, accepts });
  expect(actor("some", accepts)).toEqual({ name: "some", module: undefined, accepts });
});

test("A module comes from the registry before its address, and a registry has only what is its own", async () => {
  const found = { default: "found" };
  expect(await loadModule("some", "file:///nowhere.ts", { some: async () => found })).toBe(found);
  expect(await loadModule("some", new URL(import.meta.url).href, {})).toHaveProperty("default", undefined);
  expect(loadModule("constructor", undefined, {})).rejects.toThrow("actor() was given no module");
});

test("An actor that neither a registry nor an address leads to is told of with what to add where", () => {
  expect(loadModule("some", undefined, { other: async () => null })).rejects.toThrow(
    'Cannot load some: actor() was given no module, and the registry of its thread has other; add "some": () => import("./some.ts") to what serveActors() is given',
  );
  expect(() => system({ tree: treeOf("own") })).toThrow(
    'nowhere has no module: give actor() its address, or give the system a worker whose entry calls serveActors({ "nowhere": () => import("./nowhere.ts") })',
  );
  expect(() => system({ tree: treeOf("main") })).toThrow(
    'nowhere runs in the main thread and has no module: add "nowhere": () => import("./nowhere.ts") to the system\'s modules',
  );
  const worker = new URL("file:///worker.ts");
  expect(() => system({ tree: treeOf("own"), worker })).not.toThrow();
  expect(() => system({ tree: treeOf("main"), modules: { nowhere: async () => null } })).not.toThrow();
});

test("Actors are served in worker threads only", () => {
  expect(() => serveActors()).toThrow(
    "Cannot serve actors in the main thread: call serveActors() in the entry of the worker threads",
  );
});

export default undefined;
