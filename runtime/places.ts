import type { RunnerChild } from "./supervisor-runner.ts";
import type { DirectoryEntry } from "./targets.ts";
import { type ChildSpec, childrenOf, isSupervisor, type SupervisorSpec } from "./tree.ts";

/** Where one actor of the tree lives: its slot in the shared table, and what it is there. */
export type Place = {
  readonly slot: number;
  /** How its supervisor calls it. */
  readonly id: string;
  readonly child: ChildSpec;
  /** Its number in its pool, from 0. */
  readonly index: number;
  /** The places of a group's members. */
  readonly members: readonly Place[];
};

/** A place that a supervisor keeps for a child that starts at run time. */
export const FREE: DirectoryEntry = { name: "", index: 0, isMain: false, isKept: true };

/** The places of a tree: those of its children from left to right, then those that its supervisors keep for children that start at run time. */
export class Places {
  /** By slot who lives there; slot 0 is the main thread, a place that nobody has is without a name. */
  readonly directory: DirectoryEntry[] = [{ name: "main", index: 0, isMain: true }];
  readonly #places = new Map<number, Place>();
  readonly #free = new Map<string, number[]>();

  constructor(tree: SupervisorSpec) {
    for (const child of childrenOf(tree)) {
      for (let index = 0; index < child.instances; index++)
        this.#put(this.directory.length, child, index, child.instances === 1 ? "" : `/${index}`);
    }
    const visit = (supervisor: SupervisorSpec): void => {
      const slots = Array.from({ length: supervisor.childrenMax ?? 0 }, () => this.directory.push(FREE) - 1);
      this.#free.set(supervisor.name, slots);
      for (const each of supervisor.children) if (isSupervisor(each)) visit(each);
    };
    visit(tree);
  }

  #put(slot: number, child: ChildSpec, index: number, suffix: string, isKept = false): Place {
    this.#enter(slot, child, { index, isKept });
    const members = child.members.map((member): Place => {
      const at = this.directory.length;
      this.#enter(at, member, { index: 0, isKept: false, thread: slot });
      return { slot: at, id: member.actor.name, child: member, index: 0, members: [] };
    });
    const place = { slot, id: `${child.actor.name}${suffix}`, child, index, members };
    this.#places.set(slot, place);
    return place;
  }

  #enter(slot: number, child: ChildSpec, entry: Pick<DirectoryEntry, "index" | "isKept" | "thread">): void {
    const { actor, thread, keyed } = child;
    this.directory[slot] = { name: actor.name, isMain: thread === "main", isKeyed: keyed !== null, ...entry };
  }

  /** Whether an actor of this name has a place. */
  has(name: string): boolean {
    return this.directory.some((entry) => entry.name === name);
  }

  at(slot: number): Place | undefined {
    return this.#places.get(slot);
  }

  /** The places of an actor, from its first member to its last. */
  of(name: string): Place[] {
    return [...this.#places.values()].filter(({ child }) => child.actor.name === name);
  }

  all(): IterableIterator<Place> {
    return this.#places.values();
  }

  /** Gives a child one of the places that the supervisor keeps; undefined when none is left. */
  add(supervisor: string, child: ChildSpec): Place | undefined {
    const slot = this.#free.get(supervisor)?.shift();
    return slot === undefined ? undefined : this.#put(slot, child, 0, "", true);
  }

  /** Takes the place of a child back. The supervisor gives it again after all others: messages for the last one may be on their way. */
  remove(supervisor: string, slot: number): void {
    this.#places.delete(slot);
    this.directory[slot] = FREE;
    this.#free.get(supervisor)?.push(slot);
  }
}

/** How its supervisor sees the child at a place. */
export function runnerChildOf<ChildHandle>(place: Place, handle: ChildHandle): RunnerChild<ChildHandle> {
  const { restart, shutdownMs, startMs, significant, instances, actor } = place.child;
  return { id: place.id, handle, restart, shutdownMs, startMs, significant, pool: instances === 1 ? "" : actor.name };
}
