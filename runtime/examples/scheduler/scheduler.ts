import { actor, ask, behave, type Self, tell, topic } from "../../mod.ts";

export type Job = { readonly name: string; readonly everyMs: number };
/** Each run of a job, with the time that it was due at, in milliseconds since the start. */
export const ran = topic<{ readonly name: string; readonly dueMs: number }>("ran");

const accepts = { add: ask<Job, null>(), cancel: ask<string, boolean>(), due: tell<null>() };
export const scheduler = actor("scheduler", accepts);

type State = {
  readonly self: Self<typeof accepts>;
  readonly startMs: number;
  readonly jobs: Map<string, Job & { dueMs: number }>;
  wake: () => void;
};

/** Runs what is due, in the order in which it was due, and asks to be woken for the next. */
function runDue(state: State): void {
  const { self, startMs, jobs } = state;
  state.wake();
  for (;;) {
    const [next] = [...jobs.values()].sort((a, b) => a.dueMs - b.dueMs || a.name.localeCompare(b.name));
    if (next === undefined) return;
    const waitMs = startMs + next.dueMs - self.now();
    if (waitMs > 0) {
      state.wake = self.after(waitMs, "due", null);
      return;
    }
    void self.publish(ran, { name: next.name, dueMs: next.dueMs });
    next.dueMs += next.everyMs;
  }
}

export default behave(scheduler, {
  start: (self: State["self"]): State => ({ self, startMs: self.now(), jobs: new Map(), wake: () => undefined }),
  on: {
    add: (state, job) => {
      state.jobs.set(job.name, { ...job, dueMs: job.everyMs });
      runDue(state);
      return null;
    },
    cancel: ({ jobs }, name) => jobs.delete(name),
    due: runDue,
  },
});
