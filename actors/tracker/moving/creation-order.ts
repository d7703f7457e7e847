/** In which order resources are made, so that each stands where it stood among those of its column, and parents come before what is below them. */

export type Placed = {
  readonly id: string;
  /** Names the order that it stands in. */
  readonly group: string;
  /** Its place in there, as a text that compares by bytes; "" where there is no such order. */
  readonly rank: string;
  /** What has to be there before it. One that is not among these is taken to be there. */
  readonly parent: string | undefined;
};

export type CreationOrder = {
  readonly ids: readonly string[];
  /** Those that come before their parent all the same, since it is behind them in the same order, or below them: they get it later. */
  readonly detached: ReadonlySet<string>;
};

/** Only the first of each group can be next, and only once its parent is there. Where that leads nowhere, one is made without its parent. */
export function creationOrder(all: readonly Placed[]): CreationOrder {
  const groups = groupsOf(all);
  const missing = new Set(all.map(({ id }) => id));
  const waiting = new Map<string, Placed[][]>();
  const ids: string[] = [];
  const detached = new Set<string>();
  const ready = [...groups];

  const blockedBy = (head: Placed | undefined): string | undefined =>
    head?.parent !== undefined && missing.has(head.parent) ? head.parent : undefined;
  const make = (group: Placed[]): void => {
    const head = group.pop();
    if (head === undefined) return;
    ids.push(head.id);
    missing.delete(head.id);
    ready.push(...(waiting.get(head.id) ?? []));
    waiting.delete(head.id);
  };
  const makeAllReady = (): void => {
    for (let group = ready.pop(); group !== undefined; group = ready.pop()) {
      while (group.length > 0 && blockedBy(group.at(-1)) === undefined) make(group);
      const parent = blockedBy(group.at(-1));
      if (parent !== undefined) waiting.set(parent, [...(waiting.get(parent) ?? []), group]);
    }
  };

  makeAllReady();
  for (let [entry] = waiting; entry !== undefined; [entry] = waiting) {
    const [parent, [group, ...others]] = entry;
    if (others.length > 0) waiting.set(parent, others);
    else waiting.delete(parent);
    if (group === undefined) continue;
    detached.add((group.at(-1) as Placed).id);
    make(group);
    ready.push(group);
    makeAllReady();
  }
  return { ids, detached };
}

/** Each with its first member last. */
function groupsOf(all: readonly Placed[]): Placed[][] {
  const groups = new Map<string, Placed[]>();
  for (const each of all) {
    const group = groups.get(each.group);
    if (group === undefined) groups.set(each.group, [each]);
    else group.push(each);
  }
  const byRank = (a: Placed, b: Placed) => (a.rank === b.rank ? compared(b.id, a.id) : compared(b.rank, a.rank));
  return [...groups.values()].map((group) => group.sort(byRank)).reverse();
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
