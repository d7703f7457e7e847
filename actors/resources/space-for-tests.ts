/** A space in memory with a writer that takes one command after the other: the simplest thing that decides right, for tests to compare with. */
import type { Command, Intent } from "./command.ts";
import { decide, factOf } from "./decide.ts";
import type { Document, Head } from "./document.ts";
import { byRange, isInRange, rangeKey, referenceKey, type View } from "./draft.ts";
import type { Fact } from "./fact.ts";
import { isPersonal, personalHead, unmadeHead } from "./head.ts";
import { type Registry, registry } from "./registry.ts";

export type Taken = { readonly fact: Fact; readonly documents: readonly Document[] };

/** More than a parent's chain, what is below a task and an undo can ask for. */
const roundsMax = 30;

export class SpaceForTests {
  readonly documents = new Map<string, Document>();
  readonly facts: Fact[] = [];
  head: Head | null = null;
  readonly #registry: Registry;

  constructor(types: Registry = registry) {
    this.#registry = types;
  }

  /** Reads only what a decision asks for, so that one that forgets to ask fails. */
  take(command: Command): Taken {
    const head = this.head ?? (isPersonal(command.spaceId, command.userId) ? personalHead(command.userId) : null);
    const read = {
      documents: new Set<string>(),
      facts: new Set<number>(),
      operations: new Set<string>(),
      referrers: new Set<string>(),
      ranges: new Set<string>(),
    };
    const view: View = {
      head,
      document: (id) => (read.documents.has(id) ? (this.documents.get(id) ?? null) : undefined),
      fact: (seq) => (read.facts.has(seq) ? (this.facts.find((fact) => fact.seq === seq) ?? null) : undefined),
      operation: (id) =>
        read.operations.has(id) ? (this.facts.find(({ operationId }) => operationId === id) ?? null) : undefined,
      referrers: (reference) => {
        const { type, field, id } = reference;
        if (!read.referrers.has(referenceKey(reference))) return undefined;
        const all = [...this.documents.values()].filter((each) => each.type === type && each.fields[field] === id);
        return all.map((each) => each.id);
      },
      ranged: (range) => {
        if (!read.ranges.has(rangeKey(range))) return undefined;
        const all = [...this.documents.values()].filter((each) => isInRange(each, range)).sort(byRange(range));
        return all.slice(0, range.max).map(({ id }) => id);
      },
    };
    for (let round = 0; round < roundsMax; round++) {
      const decision = decide(this.#registry, view, command);
      if (decision.verdict === "needs") {
        for (const id of decision.needs.documents) read.documents.add(id);
        for (const seq of decision.needs.facts) read.facts.add(seq);
        for (const id of decision.needs.operations) read.operations.add(id);
        for (const key of decision.needs.referrers.keys()) read.referrers.add(key);
        for (const key of decision.needs.ranges.keys()) read.ranges.add(key);
        continue;
      }
      const fact = factOf(command, this.facts.length, head ?? unmadeHead(command.spaceId), decision);
      this.facts.push(fact);
      if (decision.verdict === "rejected") return { fact, documents: [] };
      for (const document of decision.documents) this.documents.set(document.id, document);
      if (fact.seq !== undefined) this.head = { ...decision.head, seq: fact.seq, position: fact.position, at: fact.at };
      return { fact, documents: decision.documents };
    }
    throw new Error(`Cannot decide ${command.operationId} in ${roundsMax} rounds`);
  }
}

let made = 0;

/** A command of one or more intents, an operation and a second later each time. */
export function commandOf(
  input: { spaceId: string; userId: string } & Partial<Pick<Command, "operationId" | "at" | "keyed" | "fingerprint">>,
  intents: readonly Intent[],
  more: { isImport?: true } = {},
): Command {
  return { ...commonOf(input), kind: "change", intents, ...more };
}

export function undoOf(input: { spaceId: string; userId: string }, undoes: string): Command {
  return { ...commonOf(input), kind: "undo", undoes };
}

function commonOf(
  input: { spaceId: string; userId: string } & Partial<Pick<Command, "operationId" | "at" | "keyed" | "fingerprint">>,
) {
  made += 1;
  return {
    operationId: idOf(made + 1e9),
    keyed: false,
    fingerprint: "",
    at: new Date(Date.UTC(2026, 0, 1) + made * 1_000).toISOString(),
    ...input,
  };
}

/** A UUID of version 8 that tells its number. */
export function idOf(number: number): string {
  const digits = number.toString(16).padStart(20, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8000-8000-${digits.slice(8)}`;
}
