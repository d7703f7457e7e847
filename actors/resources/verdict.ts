/** What became of a command at its position in the log, as its writer tells it to all who wait for it. */
import type { Document } from "./document.ts";
import type { Fact } from "./fact.ts";

/** Of those told of one position the first counts. */
export type Verdict = {
  readonly position: number;
  readonly operationId: string;
  readonly spaceId: string;
} & (
  | {
      readonly kind: "decided";
      readonly fact: Fact;
      /** Each that the operation changed or is answered with, as the operation left it; none where they are too large to be told. */
      readonly documents: readonly Document[];
    }
  /** The operation was taken at an earlier position: its outcome again, or `idempotency-mismatch` where the request was another one. */
  | { readonly kind: "repeated"; readonly first: Fact; readonly isSame: boolean }
  /** It was refused so long ago that nobody remembers why. */
  | { readonly kind: "expired" }
);

/** The record at a position was set aside: it could not be understood, or not be decided for its own sake. `reason` has nothing of its content. */
export type Parked = { readonly position: number; readonly kind: "parked"; readonly reason: string };

/** What became of a position, whatever was there. */
export type Told = Verdict | Parked;

/** Everything below `position` is in the read model. */
export type Projected = { readonly kind: "projected"; readonly position: number };

/**
 * As its sender hears it. An operation without a key cannot have been sent by anybody else: what it repeats is the sender's own first try, whose answer was
 * lost.
 */
export function asSent(verdict: Verdict, isKeyed: boolean): Verdict {
  if (isKeyed || verdict.kind !== "repeated") return verdict;
  const { operationId, spaceId, first } = verdict;
  return { kind: "decided", position: first.position, operationId, spaceId, fact: first, documents: [] };
}
