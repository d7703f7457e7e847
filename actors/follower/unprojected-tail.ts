/** What a follower has heard and the read model does not have yet, to be told again to a worker that begins. Bounded: of what is too much the oldest goes. */
import type { FactsBatch, ProjectedPlace } from "./facts-kafka.ts";
import type { KnownFacts } from "./messages.ts";

export type UnprojectedTail = {
  begin(places: readonly ProjectedPlace[]): void;
  /** Answers the texts of the batch, for those who are told of it. */
  hear(batch: FactsBatch): string[];
  /** By partition, what a worker that begins has to know. */
  known(): KnownFacts[];
  /** The last position told; -1 when none is known. */
  told(partition: number): number;
};

/** Characters of all partitions together. */
const charsMax = 32_000_000;

type Kept = { readonly position: number; readonly text: string };
type Partition = { told: number; projected: number; next: number; from: number; tail: Kept[] };

export function unprojectedTail(): UnprojectedTail {
  const partitions = new Map<number, Partition>();
  let chars = 0;

  function of(partition: number): Partition {
    const known = partitions.get(partition) ?? { told: -1, projected: 0, next: 0, from: 0, tail: [] };
    partitions.set(partition, known);
    return known;
  }

  function dropBelow(its: Partition, position: number): void {
    const left = its.tail.findIndex((each) => each.position >= position);
    const gone = its.tail.splice(0, left < 0 ? its.tail.length : left);
    for (const { text } of gone) chars -= text.length;
  }

  function bound(): void {
    for (const its of partitions.values())
      while (chars > charsMax && its.tail.length > 0) {
        const position = (its.tail[0] as Kept).position + 1;
        dropBelow(its, position);
        its.from = Math.max(its.from, position);
      }
  }

  return {
    begin(places) {
      for (const { partition, position, from } of places) {
        const its = of(partition);
        its.projected = Math.max(its.projected, position);
        its.told = Math.max(its.told, position - 1);
        its.from = Math.max(its.from, position);
        its.next = Math.max(its.next, from);
      }
    },

    hear({ partition, next, messages }) {
      const its = of(partition);
      const texts: string[] = [];
      for (const { value } of messages) {
        const text = value?.toString() ?? "";
        texts.push(text);
        const [, digits = "", kind] = headOf(text);
        const position = Number(digits);
        if (digits === "") continue;
        if (kind === "projected") {
          its.projected = Math.max(its.projected, position);
          dropBelow(its, its.projected);
          continue;
        }
        its.told = Math.max(its.told, position);
        if (position < its.projected) continue;
        its.tail.push({ position, text });
        chars += text.length;
      }
      its.next = Math.max(its.next, next);
      if (chars > charsMax) bound();
      return texts;
    },

    known: () =>
      [...partitions].map(([partition, { told, projected, next, from, tail }]) => ({
        partition,
        told,
        projected,
        next,
        from: Math.max(from, projected),
        values: tail.map(({ text }) => text),
      })),

    told: (partition) => partitions.get(partition)?.told ?? -1,
  };
}

/** Position and, of a record without more, its kind: a record need not be parsed whole to be handed on. */
function headOf(text: string): readonly string[] {
  return (
    /^\{"position":(\d{1,15}),"kind":"(projected|parked)"/.exec(text) ??
    /^\{"position":(\d{1,15}),/.exec(text) ??
    parsed(text)
  );
}

function parsed(text: string): readonly string[] {
  try {
    const { position, kind } = JSON.parse(text) as { position?: unknown; kind?: unknown };
    return Number.isSafeInteger(position) ? ["", `${position}`, `${kind}`] : [];
  } catch {
    return [];
  }
}
