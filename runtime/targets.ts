import type { Actor } from "./actor.ts";
import { Pool } from "./pool.ts";
import type { SharedTable } from "./shared-table.ts";

/** Who lives at a slot. */
export type DirectoryEntry = {
  /** Empty where nobody lives now. */
  readonly name: string;
  readonly index: number;
  readonly isMain: boolean;
  /** Whether the place is kept for children that start at run time. */
  readonly isKept?: boolean;
  /** Whether one actor for each key lives there. */
  readonly isKeyed?: boolean;
  /** The slot of the group in whose thread it lives. */
  readonly thread?: number;
};
/** Every place of the tree, by slot; the main thread is slot 0. */
export type Directory = readonly DirectoryEntry[];

/** The places of an actor; none while a child that starts at run time is not there. */
export type Target = { slots: readonly number[]; pool: Pool | undefined; isKeyed: boolean };

/** The place of an actor that has none: nothing is counted there. */
export const NOWHERE = -1;

/** Who lives where, as one thread knows it. */
export class Targets {
  readonly #directory: DirectoryEntry[];
  readonly #targets = new Map<string, Target>();

  constructor(directory: Directory, sharedTable: SharedTable) {
    this.#directory = [...directory];
    directory.forEach(({ name, isKeyed = false }, slot) => {
      if (slot === 0 || name === "") return;
      const target = this.#of(name);
      target.slots = [...target.slots, slot];
      target.isKeyed = isKeyed;
    });
    for (const target of this.#targets.values())
      if (target.slots.length > 1) target.pool = new Pool(target.slots, sharedTable);
  }

  #of(name: string): Target {
    let target = this.#targets.get(name);
    if (target === undefined) {
      target = { slots: [], pool: undefined, isKeyed: false };
      this.#targets.set(name, target);
    }
    return target;
  }

  /** What a ref to the actor sends to. An actor that is not in the tree may still start at run time, where places are kept for that. */
  known(actor: Pick<Actor, "name">, act: string): Target {
    const target = this.#targets.get(actor.name);
    if (target !== undefined) return target;
    if (!this.#directory.some(({ isKept }) => isKept))
      throw new Error(
        `Cannot ${act} ${actor.name}: the tree has no such actor; add child(${actor.name}), or childrenMax for those that start at run time`,
      );
    return this.#of(actor.name);
  }

  /** A child that starts at run time has got a place, or (with an entry without a name) has left it. */
  place(slot: number, entry: DirectoryEntry): void {
    const before = this.name(slot);
    if (before !== "") this.#of(before).slots = [];
    this.#directory[slot] = entry;
    if (entry.name !== "") this.#of(entry.name).slots = [slot];
  }

  name(slot: number): string {
    return this.#directory[slot]?.name ?? `slot ${slot}`;
  }

  index(slot: number): number {
    return this.#directory[slot]?.index ?? 0;
  }

  /** Whether the actor at a slot lives in the main thread. */
  isMain(slot: number): boolean {
    return this.#directory[slot]?.isMain === true;
  }

  poolOf(slot: number): Pool | undefined {
    return this.#targets.get(this.name(slot))?.pool;
  }

  *pools(): IterableIterator<Pool> {
    for (const { pool } of this.#targets.values()) if (pool !== undefined) yield pool;
  }
}
