/** What is to be written to the read model for one position, and what must hold before it is. */
import type { Document, Head } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import type { Told } from "../resources/verdict.ts";
import { SupersededError } from "./space-memory.ts";

/** What a fact makes of the read model. */
export type Step = {
  readonly position: number;
  readonly fact?: Fact;
  readonly documents: readonly Document[];
  readonly head?: Head;
};

/**
 * Only what was told first may be projected: an older code that was replaced, and does not know it yet, may have decided otherwise and told it too late.
 */
export function refuseNotFirst(steps: readonly Step[], told: readonly Told[]): void {
  const first = new Map(told.map((each) => [each.position, each]));
  for (const { position, fact } of steps) {
    const verdict = first.get(position);
    const other = verdict?.kind === "decided" ? verdict.fact : undefined;
    if (verdict === undefined || other?.verdict !== fact?.verdict || other?.seq !== fact?.seq)
      throw new SupersededError(`Another writer has told first what became of position ${position}`);
  }
}

/** A fact that stands where another one of ours was to stand is of a writer that has gone on from here. */
export function refuseOthers(own: readonly Fact[], known: readonly Fact[]): void {
  for (const fact of known) {
    const ours = own.find(({ spaceId, operationId }) => spaceId === fact.spaceId && operationId === fact.operationId);
    if (ours?.position !== fact.position || ours.seq !== fact.seq || ours.verdict !== fact.verdict)
      throw new SupersededError(`Another writer has recorded operation ${fact.operationId} of space ${fact.spaceId}`);
  }
}

/** About as many characters as it has in memory. */
export function charsOf({ fact, documents }: Step): number {
  const changed = (fact?.changes ?? []).reduce((sum, { fields }) => {
    const values = Object.values(fields).flatMap(({ from, to }) => [from, to]);
    return sum + charsOfValues(values);
  }, 0);
  return documents.reduce((sum, { fields }) => sum + charsOfValues(Object.values(fields)), changed);
}

const charsOfOthers = 50;

function charsOfValues(values: readonly unknown[]): number {
  return values.reduce<number>((sum, value) => sum + (typeof value === "string" ? value.length : charsOfOthers), 0);
}
