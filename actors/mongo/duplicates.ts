/** Writes of which some of what is to be inserted may be there already. */
import { MongoBulkWriteError, MongoServerError } from "mongodb";

export const duplicateKey = 11_000;

/** Whether an insert failed because its key is there already. */
export function isDuplicate(failure: unknown): boolean {
  return failure instanceof MongoServerError && failure.code === duplicateKey;
}

/** Runs a bulk write; the places of what exists already. Any other failure is thrown. */
export async function duplicates(write: () => Promise<unknown>): Promise<number[]> {
  try {
    await write();
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const faults = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
    if (faults.length === 0 || faults.some(({ code }) => code !== duplicateKey)) throw error;
    // A majority that did not confirm the rest in time is a failure too.
    if (error.result.getWriteConcernError() !== undefined) throw error;
    return faults.map(({ index }) => index);
  }
}
