import type { Waiting } from "./connection.ts";
import { Queue } from "./queue.ts";
import type { SharedTable } from "./shared-table.ts";

/**
 * The members of a pool as one thread sees them, and what waits in it for the next free one. A member has room for as many messages as it works on at once,
 * or for what it handles in two milliseconds when that is more: so that frames of short messages stay whole, and no long one waits behind another
 * while a member is free.
 */
export class Pool {
  readonly members: readonly number[];
  readonly waiting: Queue<Waiting> = new Queue();
  /** Looks again for members that are not up yet. */
  cancelLook: (() => void) | undefined;
  readonly #sharedTable: SharedTable;
  #chosen: number;
  #turn = -1;
  #next = 0;

  constructor(members: readonly number[], sharedTable: SharedTable) {
    this.members = members;
    this.#sharedTable = sharedTable;
    this.#chosen = members[0] as number;
  }

  /** Whether any member takes messages. */
  get isOpen(): boolean {
    return this.members.some((slot) => this.#sharedTable.openGeneration(slot) !== undefined);
  }

  get isWhole(): boolean {
    return this.members.every((slot) => this.#sharedTable.openGeneration(slot) !== undefined);
  }

  /** The member with room that has least to do, the same one for a whole turn as long as it has room; undefined when none has. */
  withRoom(turn: number): number | undefined {
    const sharedTable = this.#sharedTable;
    if (turn === this.#turn && this.#hasRoom(this.#chosen)) return this.#chosen;
    const least = this.#leastDeep((slot) => this.#hasRoom(slot));
    if (least !== undefined) this.#chosen = least;
    this.#turn = least === undefined || sharedTable.window(least) < WHOLE_FRAMES_MIN ? -1 : turn;
    return least;
  }

  /** The member that has least to do, whether it has room or not; the first one when none takes messages. */
  leastDeep(): number {
    return (
      this.#leastDeep((slot) => this.#sharedTable.openGeneration(slot) !== undefined) ?? (this.members[0] as number)
    );
  }

  #hasRoom(slot: number): boolean {
    return (
      this.#sharedTable.openGeneration(slot) !== undefined &&
      this.#sharedTable.depth(slot) < this.#sharedTable.window(slot) &&
      this.#sharedTable.room.hasRoom(slot)
    );
  }

  #leastDeep(fits: (slot: number) => boolean): number | undefined {
    const { members } = this;
    this.#next = (this.#next + 1) % members.length;
    let chosen: number | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (let i = 0; i < members.length; i++) {
      const slot = members[(this.#next + i) % members.length] as number;
      const depth = this.#sharedTable.depth(slot);
      if (depth >= least || !fits(slot)) continue;
      least = depth;
      chosen = slot;
    }
    return chosen;
  }
}

/** From this room on a member handles messages faster than they are carried one by one. */
const WHOLE_FRAMES_MIN = 16;
