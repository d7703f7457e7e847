import type { Actor, Down } from "./actor.ts";
import type { SharedTable } from "./shared-table.ts";
import type { Targets } from "./targets.ts";

/** Who is to hear of the ends of which actors, in one thread. */
export class Monitors {
  readonly #targets: Targets;
  readonly #sharedTable: SharedTable;
  readonly #notify = new Set<(slot: number, reason: string | null) => void>();

  constructor(targets: Targets, sharedTable: SharedTable) {
    this.#targets = targets;
    this.#sharedTable = sharedTable;
  }

  /** The monitor of an actor by the one at the slot `watcher`, with whom it ends; so it does by the returned function. */
  add(actor: Actor, watcher: number, told: (down: Down) => void): () => void {
    const target = this.#targets.known(actor, "monitor");
    const down = (slot: number, reason: string | null): void =>
      told({ actor: actor.name, index: this.#targets.index(slot), reason });
    const notify = (slot: number, reason: string | null): void => {
      if (slot === watcher) this.#notify.delete(notify);
      else if (target.slots.includes(slot)) down(slot, reason);
    };
    this.#notify.add(notify);
    for (const slot of target.slots) if (this.#sharedTable.phase(slot) === "down") down(slot, "not running");
    return () => void this.#notify.delete(notify);
  }

  /** The actor at a slot has ended. */
  down(slot: number, reason: string | null): void {
    for (const notify of [...this.#notify]) notify(slot, reason);
  }
}
