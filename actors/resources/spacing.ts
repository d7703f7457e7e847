/**
 * Long ranks made short. A rank grows with each neighbour in whose place it was put. Where one would become longer than `rankLengthAim`, its other neighbour
 * is looked for; and where that has a long one as well, all ranks that begin alike with it are made anew in the same operation, in their order: each right
 * beside the place that they begin with. That is a change as every other, so that replays, followers and histories see it; but nobody asked for it, so no
 * undo takes it back or stops at it.
 */
import type { Document, Fields } from "./document.ts";
import { byRange, type Draft } from "./draft.ts";
import type { Json } from "./field.ts";
import {
  aboveRanks,
  groupsOf,
  type RankGroup,
  rankAfter,
  rankBefore,
  rankFirst,
  rankInGroup,
  rankLast,
  spacedFrom,
  stepOf,
} from "./rank.ts";
import type { ResourceType } from "./resource-type.ts";

export const rankLengthAim = 100;
/** The largest group of at most so many is made anew, */
const groupAim = 50;
/** or where each is larger, of so many. Where all are larger than that, the rank becomes longer. */
const groupMax = 300;
/** How many are looked at beside a place: those that the operation has changed itself are not where they are looked for. */
const neighboursMax = 32;
/** Of one operation: it may be a batch of many moves. */
const spacedMax = 2_000;
/** What a step adds to the start of its group, at most. */
const stepLengthMax = 16;
/** How often a rank can have been made anew since some operation: an undo looks back no further. */
const lookedBackMax = 20;

export type Placing = {
  readonly id: string;
  /** The neighbours that were named. */
  readonly upper: string | undefined;
  readonly lower: string | undefined;
  /** What would become too long. */
  readonly rank: string;
  /** Whether one with these fields may have a new rank as well. */
  readonly isBesides: (fields: Fields) => boolean;
};

/**
 * The rank for a resource in the place of one that would be too long. Where a neighbour has a short one it is made of that; else others of its group have new
 * ranks in this operation too, once the resource itself has been made. Throws `Unread`.
 */
export function shortRank(draft: Draft, type: ResourceType, placing: Placing): string {
  const rank = shortestBeside(draft, type, placing);
  return rank.length > rankLengthAim ? spacedRank(draft, type, { ...placing, rank }) : rank;
}

/** Made of whichever of the two that it really stands between gives a shorter one. */
function shortestBeside(draft: Draft, type: ResourceType, { id, upper, lower, rank }: Placing): string {
  const known = upper ?? lower;
  if (known === undefined) return rank;
  const isDescending = upper === undefined;
  const range = { type: type.name, field: "rank", isDescending, max: neighboursMax };
  const whole = isDescending ? { above: "", below: known } : { above: known, below: aboveRanks };
  const [found] = draft.ranged([{ ...range, ...whole }]);
  if (found === undefined) return rank;
  const others = found.others.filter((each) => each !== id);
  const made = found.made.filter((each) => each.id !== id);
  const all = [...draft.existing(others.slice(0, 1)), ...made].sort(byRange({ ...range, ...whole }));
  const next = all[0]?.fields.rank as string | undefined;
  if (!found.isWhole && others.length === 0) return rank;
  const [before, behind] = isDescending ? [next, lower] : [upper, next];
  const step = draft.nextStep();
  const last = { at: draft.askedAt, place: draft.place, operationId: draft.operationId };
  const after = before === undefined ? rankFirst(step) : rankAfter(before, step);
  const ahead = behind === undefined ? rankLast(last) : rankBefore(behind, step);
  // A last one is made by a clock of the edge.
  return ahead.length < after.length && ahead > (before ?? "") ? ahead : after;
}

function spacedRank(draft: Draft, type: ResourceType, { id, rank, isBesides }: Placing): string {
  const groups = groupsOf(rank).filter(({ start }) => start.length + stepLengthMax <= rankLengthAim);
  const range = { type: type.name, field: "rank", isDescending: false, max: groupMax + 1 };
  const found = draft.ranged(groups.map(({ start }) => ({ ...range, above: start, below: start + aboveRanks })));
  const whole = groups.flatMap((group, index) => {
    const { others = [], made = [], isWhole = false } = found[index] ?? {};
    const ids = [...others, ...made.map((each) => each.id)].filter((each) => each !== id);
    return isWhole && ids.length <= groupMax ? [{ group, ids }] : [];
  });
  const chosen = whole.find(({ ids }) => ids.length <= groupAim) ?? whole[0];
  if (chosen === undefined || draft.takenPlaces + chosen.ids.length > spacedMax) return rank;
  const others = draft.existing(chosen.ids).filter(({ fields }) => isBesides(fields));
  return spaceAnew(draft, type, { group: chosen.group, rank, others });
}

function spaceAnew(
  draft: Draft,
  type: ResourceType,
  { group, rank, others }: { group: RankGroup; rank: string; others: readonly Document[] },
): string {
  const own = { rank, document: undefined };
  const all = [...others.map((document) => ({ rank: document.fields.rank as string, document })), own];
  all.sort((one, other) => (one.rank < other.rank ? -1 : 1));
  // Places fall towards the place itself where the group is behind it.
  const inPlaces = group.isBefore ? all : all.toReversed();
  const from = draft.takePlaces(all.length);
  let made = rank;
  for (const [index, { document }] of inPlaces.entries()) {
    // The one that somebody moved has an odd place: it was asked for.
    const place = from + 2 * index + (document === undefined ? 1 : 0);
    const anew = rankInGroup(group, { seq: draft.seq, place });
    if (document === undefined) made = anew;
    else draft.spaceBeside(type, document, anew);
  }
  return made;
}

/** The `seq` of the fact that gave this rank to a resource which nobody had moved. */
export function spacedAt(rank: Json | undefined): number | undefined {
  const step = typeof rank === "string" ? stepOf(rank) : undefined;
  return step !== undefined && step.place >= spacedFrom && step.place % 2 === 0 ? step.seq : undefined;
}

/** Whether a resource has this rank, or had it before its rank was made anew. Throws `Unread`. */
export function isRankAsLeft(draft: Draft, { id, fields }: Document, left: Json): boolean {
  let { rank } = fields;
  for (let looked = 0; rank !== left && looked < lookedBackMax; looked++) {
    const seq = spacedAt(rank);
    if (seq === undefined) return false;
    const changes = draft.fact(seq)?.changes ?? [];
    const change = changes.findLast(
      (each) => each.id === id && each.isSpacing === true && each.fields.rank?.to === rank,
    );
    if (change === undefined) return false;
    rank = change.fields.rank?.from;
  }
  return rank === left;
}
