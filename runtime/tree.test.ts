import { expect, test } from "bun:test";
import { actor, behave, tell } from "./actor.ts";
import { behaviourOf } from "./incarnation.ts";
import { system } from "./system.ts";
import { child, faultsOf, group, type SupervisorSpec, supervise } from "./tree.ts";

const one = actor("one", new URL("file:///one.ts"), { go: tell() });
const two = actor("two", new URL("file:///two.ts"), { go: tell() });
const limits = { intensity: 1, periodMs: 1_000 };

test("A tree nests, and says what each child is unless told", () => {
  const tree = supervise("rest_for_one", limits, [
    child(one),
    supervise("one_for_all", limits, [child(two, { instances: 3, args: { a: [1] } })], "inner"),
  ]);
  expect(faultsOf(tree)).toEqual([]);
  expect(tree.children[0]).toMatchObject({
    restart: "permanent",
    shutdownMs: 5_000,
    instances: 1,
    args: null,
    thread: "own",
    spare: false,
  });
});

test("All faults of a tree are told together, before anything starts", () => {
  const tree = supervise("one_for_one", { intensity: -1, periodMs: 0 }, [
    child(one, { instances: 0, shutdownMs: -5 }),
    child(one, { thread: "main", spare: true }),
    child(actor("Bad Name", new URL("file:///x.ts"), {})),
    supervise("one_for_one", limits, [], "root"),
  ]);
  expect(faultsOf(tree)).toEqual([
    "intensity of root must be a whole number from 0, not -1",
    "periodMs of root must be more than 0 ms, not 0",
    "instances of one must be a whole number from 1, not 0",
    "shutdownMs of one must be more than 0 ms, not -5",
    "two children are named one",
    "one runs in the supervisor's own thread and can have no spare",
    '"Bad Name" is no name for an actor: small letters, digits and hyphens, and not main',
    "two supervisors are named root",
  ]);
  expect(() => system({ tree })).toThrow("intensity of root must be a whole number from 0, not -1; ");
});

test("A duration that no timer can wait is a fault: it would be over at once", () => {
  const durations = { shutdownMs: 2 ** 31, startMs: Number.POSITIVE_INFINITY };
  expect(faultsOf(supervise("one_for_one", { intensity: 1, periodMs: Number.NaN }, [child(one, durations)]))).toEqual([
    "periodMs of root must be more than 0 ms, not NaN",
    "shutdownMs of one must be at most 2147483647 ms, not 2147483648",
    "startMs of one must be at most 2147483647 ms, not Infinity",
  ]);
  expect(faultsOf(supervise("one_for_one", limits, [child(one, { shutdownMs: 2 ** 31 - 1 })]))).toEqual([]);
});

test("An actor and a supervisor of one parent have different names, and a supervisor's is not empty", () => {
  const named = (name: string) => supervise("one_for_one", limits, [], name);
  expect(faultsOf(supervise("one_for_one", limits, [child(one), named("one"), named(""), named("two/0")]))).toEqual([
    "root has an actor and a supervisor that are named one",
    '"" is no name for a supervisor: not empty, and without a slash',
    '"two/0" is no name for a supervisor: not empty, and without a slash',
  ]);
  expect(faultsOf(supervise("one_for_one", limits, [child(one)], "one"))).toEqual([]);
});

test("What is given in the wrong place is named, with what to give there", () => {
  const behaviour = behave(one, { start: () => null, on: { go: () => undefined } });
  expect(() => child(behaviour as never)).toThrow(
    "Cannot make a child of the behaviour of one: child() takes the actor, child(one)",
  );
  expect(() => system({ tree: child(one) as unknown as SupervisorSpec })).toThrow(
    "the tree is no supervisor: wrap its children, supervise(strategy, limits, [child(…)])",
  );
  expect(() => actor("one", "./one.ts" as never, {})).toThrow(
    "Cannot make the actor one: its module is a URL, as new URL(import.meta.url), not text",
  );
  expect(() => group("core", [])).toThrow("Cannot make the group core: give it the children that it has");
});

test("A handler that is missing is named", () => {
  const behaviour = { actor: one, start: () => null, on: {} };
  expect(() => behaviourOf({ default: behaviour }, "one")).toThrow(
    "Cannot run one: it has no handler for go, which its protocol declares",
  );
});
