/** A write that changes nothing. It is acknowledged as all writes of the collection are, and those before it are then as durable as itself. */
import type { Collection, Filter } from "mongodb";

export async function emptyWrite<Kept extends { _id: string }>(collection: Collection<Kept>): Promise<void> {
  await collection.deleteOne({ _id: "none" } as Filter<Kept>);
}
