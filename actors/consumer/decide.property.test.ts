import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Command, CommandKind } from "../model/command.ts";
import { type Change, past, tracked } from "../model/past.ts";
import { priorities, statuses } from "../model/task.ts";
import { command, userA, userB } from "./commands-for-tests.ts";
import { type Decision, decide, type TaskState } from "./decide.ts";

const taskId = "00000000-0000-7000-8000-000000000001";
const writable = fc.record({
  title: fc.string({ minLength: 1, maxLength: 5 }),
  description: fc.constantFrom("", "d", "e"),
  status: fc.constantFrom(...statuses),
  priority: fc.constantFrom(...priorities),
  labels: fc.uniqueArray(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
  dueAt: fc.constantFrom(null, "2026-05-01T00:00:00.000Z"),
});
const patch = fc.record(
  {
    title: fc.string({ minLength: 1, maxLength: 5 }),
    status: fc.constantFrom(...statuses),
    labels: fc.uniqueArray(fc.constantFrom("a", "b")),
    dueAt: fc.constantFrom(null, "2026-06-01T00:00:00.000Z"),
  },
  { requiredKeys: [] },
);
const step = fc.record({
  kind: fc.constantFrom<CommandKind>(
    "create",
    "patch",
    "patch",
    "patch",
    "replace",
    "delete",
    "restore",
    "undo",
    "undo",
  ),
  full: writable,
  patch,
  userId: fc.constantFrom(userA, userA, userA, userA, userB),
  expected: fc.option(
    fc.oneof(fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 3 }), fc.constant("*" as const)),
    { nil: undefined, freq: 3 },
  ),
  second: fc.integer({ min: 0, max: 59 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const life = fc.tuple(writable, fc.array(step, { maxLength: 40 }));

function toCommand({ kind, full, patch, userId, expected, second }: Step): Command {
  const body = kind === "patch" ? patch : kind === "create" || kind === "replace" ? full : {};
  const at = `2026-01-31T09:30:${String(second).padStart(2, "0")}.000Z`;
  return command({ kind, taskId, userId, body, at, ...(expected === undefined ? {} : { expected }) });
}

/** A task's life: its states by version, its changes, and what each step was decided. */
function live([body, steps]: [Command["body"], Step[]]) {
  const changes: Change[] = [];
  const states: TaskState[] = [];
  const decided: { before: TaskState | undefined; command: Command; decision: Decision }[] = [];
  let state: TaskState | undefined;
  for (const next of [command({ kind: "create", taskId, body }), ...steps.map(toCommand)]) {
    const decision = decide(state, next, state === undefined ? undefined : changes[state.undoable - 1]);
    decided.push({ before: state, command: next, decision });
    if (decision.verdict === "rejected") continue;
    if (decision.history !== undefined) {
      changes.push(decision.history);
      states.push(decision.state);
    }
    state = decision.state;
  }
  return { changes, states, decided };
}

const content = ({ task, deleted }: { task: TaskState["task"]; deleted: boolean }) => ({
  deleted,
  ...Object.fromEntries(tracked.map((field) => [field, task[field]])),
});

test("versions are 1, 2, 3, ... without gap, and time never runs backwards", () => {
  fc.assert(
    fc.property(life, (given) => {
      const { states, changes } = live(given);
      expect(states.map(({ task }) => task.version)).toEqual(states.map((_, index) => index + 1));
      expect(changes.map(({ entry }) => entry.version)).toEqual(states.map((_, index) => index + 1));
      const times = changes.map(({ entry }) => entry.at);
      expect(times).toEqual([...times].sort());
    }),
  );
});

test("a patch changes the fields it names and no other, and completedAt only with the status", () => {
  fc.assert(
    fc.property(life, (given) => {
      for (const {
        before,
        command: { kind, body },
        decision,
      } of live(given).decided) {
        if (kind !== "patch" || before === undefined || decision.verdict === "rejected") continue;
        const { task } = decision.state;
        expect(task).toMatchObject(body);
        for (const field of tracked)
          if (!(field in body) && field !== "completedAt") expect(task[field]).toEqual(before.task[field]);
        if ((task.status === "done") === (before.task.status === "done"))
          expect(task.completedAt).toBe(before.task.completedAt);
        expect(task.completedAt !== null).toBe(task.status === "done");
        expect([task.id, task.ownerId, task.createdAt]).toEqual([
          before.task.id,
          before.task.ownerId,
          before.task.createdAt,
        ]);
      }
    }),
  );
});

test("what changes nothing is applied without a version or a history entry", () => {
  fc.assert(
    fc.property(life, (given) => {
      for (const {
        before,
        command: { kind },
        decision,
      } of live(given).decided) {
        if (decision.verdict === "rejected") continue;
        if (decision.history === undefined) expect(decision.state).toBe(before as TaskState);
        else if (kind === "patch" || kind === "replace")
          expect(Object.keys(decision.history.entry.changes)).not.toEqual([]);
      }
    }),
  );
});

test("the history alone gives back the task at every version", () => {
  fc.assert(
    fc.property(life, (given) => {
      const { states, changes } = live(given);
      for (const [index, { task, deleted }] of states.entries())
        expect(past(taskId, changes.slice(0, index + 1))).toEqual({ task, deleted });
    }),
  );
});

test("undo after undo walks back through every earlier state to the creation, then there is nothing left", () => {
  fc.assert(
    fc.property(life, (given) => {
      const { states, changes } = live(given);
      let state = states.at(-1);
      // The states an editor would still have: each undo takes the latest one away.
      const stack: TaskState[] = [];
      for (const [index, next] of states.entries()) {
        if (changes[index]?.entry.kind === "undone") stack.pop();
        else stack.push(next);
      }
      while (state !== undefined && stack.length > 1) {
        stack.pop();
        const decision = decide(state, command({ kind: "undo", taskId }), changes[state.undoable - 1]);
        if (decision.verdict === "rejected") throw new Error(decision.code);
        expect(content(decision.state)).toEqual(content(stack.at(-1) as TaskState));
        if (decision.history !== undefined) changes.push(decision.history);
        state = decision.state;
      }
      expect(decide(state, command({ kind: "undo", taskId }))).toEqual({ verdict: "rejected", code: "conflict" });
    }),
  );
});

test("patches of different fields made from the same version are both kept, in either order", () => {
  fc.assert(
    fc.property(writable, writable, fc.boolean(), (body, other, turned) => {
      const patches = [
        command({ kind: "patch", taskId, body: { title: other.title, status: other.status } }),
        command({ kind: "patch", taskId, body: { labels: other.labels, dueAt: other.dueAt } }),
      ];
      let state: TaskState | undefined;
      for (const next of [command({ kind: "create", taskId, body }), ...(turned ? patches.reverse() : patches)]) {
        const decision = decide(state, next);
        if (decision.verdict === "applied") state = decision.state;
      }
      expect(state?.task).toMatchObject({
        ...body,
        title: other.title,
        status: other.status,
        labels: other.labels,
        dueAt: other.dueAt,
      });
    }),
  );
});

test("refusals come in the order 404, 412, 409", () => {
  fc.assert(
    fc.property(life, (given) => {
      for (const {
        before,
        command: { kind, userId, expected },
        decision,
      } of live(given).decided) {
        const code = decision.verdict === "rejected" ? decision.code : undefined;
        if (kind === "create") expect(code).toBe(before === undefined ? undefined : "conflict");
        else if (before === undefined || before.task.ownerId !== userId) expect(code).toBe("not-found");
        else if (before.deleted && kind !== "restore" && kind !== "undo") expect(code).toBe("not-found");
        else if (Array.isArray(expected) && !expected.includes(before.task.version))
          expect(code).toBe("version-mismatch");
        else if (kind === "restore" && !before.deleted) expect(code).toBe("conflict");
        else if (kind === "undo" && before.undoable === 0) expect(code).toBe("conflict");
        else expect(code).toBeUndefined();
      }
    }),
  );
});

test("creating onto a taken id is refused as the command says, whoever owns it", () => {
  const first = decide(undefined, command({ kind: "create", taskId }));
  if (first.verdict === "rejected") throw new Error(first.code);
  for (const userId of [userA, userB]) {
    expect(decide(first.state, command({ kind: "create", taskId, userId, onTaken: "version-mismatch" }))).toMatchObject(
      { code: "version-mismatch" },
    );
    expect(decide(first.state, command({ kind: "create", taskId, userId }))).toMatchObject({ code: "conflict" });
  }
});
