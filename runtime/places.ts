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
    const place = { slot, id: `${child.actor.name}${suffix}`, child, index };
    this.#places.set(slot, place);
    this.directory[slot] = {
      name: child.actor.name,
      index,
      isMain: child.thread === "main",
      isKept,
      isKeyed: child.keyed !== null,
    };
    return place;
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
