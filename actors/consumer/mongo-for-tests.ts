/**
 * What the writer's store may rely on of MongoDB, in memory: each document is written alone, a bulk write goes document by document and others
 * come in between, `_id` and declared keys are unique. There are no transactions, and nothing else is promised.
 */
import { type BulkWriteResult, MongoBulkWriteError } from "mongodb";
import type { ReadModel } from "../mongo/read-model.ts";

/** Called before each document is written or read, and before each answer: when it resolves is the simulator's choice. It may never, or reject. */
export type Turn = () => Promise<void>;

type Document = { readonly _id: string } & Readonly<Record<string, unknown>>;
type Filter = Readonly<Record<string, unknown>>;
type Step =
  | { readonly insertOne: { readonly document: Document } }
  | { readonly updateOne: { readonly filter: Filter; readonly update: { readonly $set: Record<string, unknown> } } }
  | { readonly replaceOne: { readonly filter: Filter; readonly replacement: Document; readonly upsert?: boolean } };

export type Stored = {
  readonly tasks: Map<string, Document>;
  readonly operations: Map<string, Document>;
};

/** What a test takes away to see that the rest does not hold without it. */
export type Without = "task guard";

export function emptyStored(): Stored {
  return { tasks: new Map(), operations: new Map() };
}

/** The documents as one client reaches them. */
export function readModelOver(stored: Stored, turn: Turn, without?: Without): ReadModel {
  const guarded = (filter: Filter): Filter => {
    if (without !== "task guard") return filter;
    const { takenAt: _guard, ...rest } = filter;
    return rest;
  };
  return {
    tasks: collection(stored.tasks, turn, { guarded }),
    operations: collection(stored.operations, turn, { unique: ["task", "change.version"] }),
    erased: collection(new Map(), turn, {}),
  } as unknown as ReadModel;
}

type Options = { readonly unique?: readonly string[]; readonly guarded?: (filter: Filter) => Filter };

function collection(documents: Map<string, Document>, turn: Turn, { unique, guarded = (filter) => filter }: Options) {
  // Partial: where a document has none of a field, it is not in the index.
  const same = (a: Document, b: Document): boolean =>
    unique?.every((field) => at(a, field) !== undefined && at(a, field) === at(b, field)) === true;

  /** False: there is one of the same keys. */
  function insert(document: Document): boolean {
    if (documents.has(document._id)) return false;
    if (unique !== undefined) for (const each of documents.values()) if (same(each, document)) return false;
    documents.set(document._id, { ...document });
    return true;
  }

  function write(step: Step): boolean {
    if ("insertOne" in step) return insert(step.insertOne.document);
    const { filter } = "updateOne" in step ? step.updateOne : step.replaceOne;
    const found = [...documents.values()].find((each) => matches(each, guarded(filter)));
    if ("updateOne" in step) {
      if (found !== undefined) documents.set(found._id, { ...found, ...step.updateOne.update.$set });
      return true;
    }
    const { replacement, upsert } = step.replaceOne;
    if (found !== undefined) documents.set(found._id, { ...replacement });
    return found !== undefined || upsert !== true || insert(replacement);
  }

  async function writeAll(steps: readonly Step[], { ordered = true }: { ordered?: boolean } = {}): Promise<void> {
    const taken: number[] = [];
    for (const [index, step] of steps.entries()) {
      await turn();
      if (write(step)) continue;
      taken.push(index);
      if (ordered) break;
    }
    await turn();
    if (taken.length > 0) throw duplicateKeys(taken);
  }

  return {
    find: (filter: Filter) => {
      const toArray = async (): Promise<Document[]> => {
        await turn();
        const found = [...documents.values()].filter((each) => matches(each, filter)).map((each) => ({ ...each }));
        await turn();
        return found;
      };
      return {
        toArray,
        sort: (order: Readonly<Record<string, 1>>) => ({
          toArray: async () => {
            const [field = ""] = Object.keys(order);
            return (await toArray()).sort((a, b) => Number(at(a, field)) - Number(at(b, field)));
          },
        }),
      };
    },
    insertMany: (all: readonly Document[], options?: { ordered?: boolean }) =>
      writeAll(
        all.map((document) => ({ insertOne: { document } })),
        options,
      ),
    bulkWrite: (steps: readonly Step[], options?: { ordered?: boolean }) => writeAll(steps, options),
  };
}

/** The value at a path with dots. */
function at(document: Document, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, field) => (inner as Readonly<Record<string, unknown>> | undefined)?.[field], document);
}

function matches(document: Document, filter: Filter): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    const value = at(document, field);
    if (typeof wanted !== "object" || wanted === null) return value === wanted;
    return Object.entries(wanted).every(([operator, operand]) => {
      if (operator === "$in") return (operand as unknown[]).includes(value);
      if (operator === "$lt") return Number(value) < Number(operand);
      if (operator === "$lte") return Number(value) <= Number(operand);
      if (operator === "$gte") return Number(value) >= Number(operand);
      throw new Error(`Cannot match ${operator}`);
    });
  });
}

/** As the driver throws it. */
function duplicateKeys(indexes: readonly number[]): MongoBulkWriteError {
  const message = "E11000 duplicate key";
  const writeErrors = indexes.map((index) => ({ index, code: 11_000, errmsg: message }));
  const result = { getWriteConcernError: () => undefined } as BulkWriteResult;
  return new MongoBulkWriteError({ message, code: 11_000, writeErrors: writeErrors as never }, result);
}
