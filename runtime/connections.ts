import type { Cell } from "./cell.ts";
import { Connection } from "./connection.ts";
import { errorFields } from "./errors.ts";
import type { SharedTable } from "./shared-table.ts";

/** What takes messages in this thread: the cell of an actor, or those of many keys. */
export type Receiver = Pick<Cell, "deliver" | "turn" | "resumeTurn" | "cancel">;

export type ConnectionsOptions = {
  /** The slot of this thread. */
  readonly slot: number;
  readonly sharedTable: SharedTable;
  /** The actor of this thread at that slot. */
  readonly local: (slot: number) => Receiver | undefined;
  /** Asks for a way to a slot. */
  readonly connect: (slot: number, generation: number) => void;
  /** A connection is over. */
  readonly ended: (connection: Connection) => void;
  /** A message could not be written as JSON. */
  readonly unwritable: (slot: number, id: number, fields: ReturnType<typeof errorFields>, error: Error) => void;
  /** What was settled in this turn gives its places back. */
  readonly flushed: () => void;
};

/** The connections of one thread, by slot. Whatever is sent in a turn leaves at the turn's end. */
export class Connections {
  /** Counts turns. */
  turn = 0;
  readonly #options: ConnectionsOptions;
  readonly #bySlot = new Map<number, Connection>();
  #dirty: Connection[] = [];
  #scheduled = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  [Symbol.iterator](): IterableIterator<Connection> {
    return this.#bySlot.values();
  }

  at(slot: number): Connection | undefined {
    return this.#bySlot.get(slot);
  }

  /** The connection to the generation that takes messages now; undefined when none does. */
  to(slot: number): Connection | undefined {
    const generation = this.#options.sharedTable.openGeneration(slot);
    if (generation === undefined) return undefined;
    const known = this.#bySlot.get(slot);
    if (known !== undefined && known.generation === generation) return known;
    if (known !== undefined) this.end(known);
    const connection = this.open(slot, generation);
    const local = this.#options.local(slot);
    if (local !== undefined) connection.attachLocal(local);
    else this.#options.connect(slot, generation);
    return connection;
  }

  open(slot: number, generation: number): Connection {
    const connection = new Connection(this.#options.sharedTable, this.#options.slot, slot, generation);
    this.#bySlot.set(slot, connection);
    return connection;
  }

  end(connection: Connection): void {
    if (this.#bySlot.get(connection.slot) === connection) this.#bySlot.delete(connection.slot);
    this.#options.ended(connection);
  }

  /** Something was said by this connection. */
  touch(connection: Connection): void {
    if (this.#dirty.at(-1) !== connection) this.#dirty.push(connection);
    this.schedule();
  }

  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.flush());
  }

  /** Posts all that was said in this turn. */
  flush(): void {
    this.#scheduled = false;
    this.turn++;
    const dirty = this.#dirty;
    this.#dirty = [];
    for (const connection of dirty)
      connection.flush((id, error) => this.#options.unwritable(connection.slot, id, errorFields(error), error));
    this.#options.flushed();
  }
}
