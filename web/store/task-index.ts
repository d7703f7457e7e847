/** What all tasks of a space make together, brought up to date by the few that changed: to go through thousands at each change would take longer than a frame. */
import { byRank, isClosed, type Task, taskOf } from "./fields.ts";

export type SubtaskCount = { readonly done: number; readonly all: number };
export type TaskIndex = {
  /** Which it is, and which it was made from. */
  readonly version: number;
  readonly madeFrom: number;
  /** In no order: what it was made of. */
  readonly tasks: readonly Task[];
  readonly byRank: readonly Task[];
  /** By the task above them. The same object until one of the counts may be another. */
  readonly counts: ReadonlyMap<string, SubtaskCount>;
  /** By their names. The same object until there is another label. */
  readonly labels: readonly string[];
  /** Those of the index before that are not in this one, and the reverse: a task that changed is in both. */
  readonly gone: ReadonlySet<Task>;
  readonly come: readonly Task[];
  /** Whether a task that has others below it came, went or moved: then those may be shown elsewhere. */
  readonly isParentElsewhere: boolean;
};

let lastVersion = 0;

export function updatedIndex(before: TaskIndex | undefined, tasks: readonly Task[]): TaskIndex {
  const { gone, come } = difference(before?.tasks ?? [], tasks);
  come.sort(byRank);
  const stayed = gone.size === 0 ? (before?.byRank ?? []) : (before?.byRank ?? []).filter((task) => !gone.has(task));
  const pairs = pairsOf(gone, come);
  const counts = before !== undefined && pairs.every(isSameCount) ? before.counts : countsOf(tasks);
  const labels = before !== undefined && pairs.every(isSameLabels) ? before.labels : labelsAmong(tasks);
  lastVersion += 1;
  return {
    version: lastVersion,
    madeFrom: before?.version ?? 0,
    tasks,
    byRank: merged(stayed, come),
    counts,
    labels,
    gone,
    come,
    isParentElsewhere: pairs.some(
      ({ id, was, is }) =>
        counts.has(id) && (was === undefined || is === undefined || taskOf(was).parentId !== taskOf(is).parentId),
    ),
  };
}

/** What is the same at both ends is looked at once, and what is between is compared. */
function difference(before: readonly Task[], after: readonly Task[]): { gone: Set<Task>; come: Task[] } {
  let first = 0;
  while (first < before.length && first < after.length && before[first] === after[first]) first += 1;
  let [last, end] = [before.length, after.length];
  while (last > first && end > first && before[last - 1] === after[end - 1]) {
    last -= 1;
    end -= 1;
  }
  const gone = new Set(before.slice(first, last));
  const come: Task[] = [];
  for (const task of after.slice(first, end)) if (!gone.delete(task)) come.push(task);
  return { gone, come };
}

/** A task before and after. */
type Pair = { readonly id: string; readonly was: Task | undefined; readonly is: Task | undefined };

function pairsOf(gone: ReadonlySet<Task>, come: readonly Task[]): Pair[] {
  const is = new Map(come.map((task) => [task.id, task]));
  const was = new Map([...gone].map((task) => [task.id, task]));
  return [...new Set([...was.keys(), ...is.keys()])].map((id) => ({ id, was: was.get(id), is: is.get(id) }));
}

function isSameCount({ was, is }: Pair): boolean {
  const [before, after] = [was, is].map((task) => (task === undefined ? null : taskOf(task).parentId));
  if (before === null && after === null) return true;
  return was !== undefined && is !== undefined && before === after && isClosed(was) === isClosed(is);
}

function isSameLabels({ was, is }: Pair): boolean {
  const [before = [], after = []] = [was, is].map((task) => (task === undefined ? [] : taskOf(task).labels));
  return before.length === after.length && before.every((label, place) => label === after[place]);
}

function countsOf(tasks: readonly Task[]): Map<string, SubtaskCount> {
  const counts = new Map<string, SubtaskCount>();
  for (const task of tasks) {
    const { parentId } = taskOf(task);
    if (parentId === null) continue;
    const count = counts.get(parentId) ?? { done: 0, all: 0 };
    counts.set(parentId, { done: count.done + (isClosed(task) ? 1 : 0), all: count.all + 1 });
  }
  return counts;
}

function labelsAmong(tasks: readonly Task[]): string[] {
  const labels = new Set<string>();
  for (const task of tasks) for (const label of taskOf(task).labels) labels.add(label);
  return [...labels].sort((a, b) => a.localeCompare(b));
}

/** Two lists in their order as one. */
export function merged(many: readonly Task[], few: readonly Task[]): readonly Task[] {
  if (few.length === 0 || many.length === 0) return few.length === 0 ? many : few;
  const parts: Task[][] = [];
  let taken = 0;
  for (const task of few) {
    let [low, high] = [taken, many.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byRank(many[middle] as Task, task) <= 0) low = middle + 1;
      else high = middle;
    }
    parts.push(many.slice(taken, low), [task]);
    taken = low;
  }
  return [...parts, many.slice(taken)].flat();
}
