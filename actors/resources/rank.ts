/**
 * Ranks: the places of resources in an order that people choose, as texts that compare by bytes.
 *
 * A place is found without knowing what else is there, since a decision reads no more than the documents that a command names. A rank ends with the digit
 * `V` and is not changed by what comes beside it, until ranks become long (see spacing.ts):
 *
 * - last: the instant, the place in the batch and digits of the operation. Later ones are behind.
 * - right after X: X and a number that falls as the space's `seq` grows. The latest one is nearest to X, and everything behind X stays behind.
 * - right before X: X with its last digit one lower, `~` (higher than every digit) and a number that grows with `seq`: again the latest one is nearest.
 * - first: as if it were right after a place before all others.
 * - between two: right after the one or right before the other, whichever is shorter.
 *
 * Each number holds `seq` and the place in the batch, so two ranks of a space are never equal. It tells its own length, in its first digit, so that no rank
 * begins with a part of another's number. (The package fractional-indexing needs both neighbours, and gives two who fill one gap the same key.)
 */

/** In the order of their bytes. */
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const base = digits.length;
const end = "V";
/** What stands before `X`: `X` with this in the place of its end. */
const before = "U~";
/** Before all that is last. What is first stands right behind it. */
const beginning = "-";

/** Milliseconds up to the year 8888. */
const instantDigits = 8;
/** A batch has 500 changes at most. */
const placeDigits = 2;
const operationDigits = 4;
const lastLength = instantDigits + placeDigits + operationDigits + end.length;
/** So that each number is a safe integer. */
const numberDigitsMax = 8;
export const rankLengthMax = 500;
/** Places of ranks that were not asked for, but made where others had become long, begin here: a batch has 500 changes at most. */
export const spacedFrom = 500;

/** `place`: the change's place in its operation. Needs nothing but the command, so that the edge can answer a creation before it is decided. */
export function rankLast(input: { at: string; place: number; operationId: string }): string {
  const operation = Number.parseInt(input.operationId.slice(-6), 16) % base ** operationDigits;
  return (
    digitsOf(Math.max(0, Date.parse(input.at)), instantDigits) +
    digitsOf(input.place, placeDigits) +
    digitsOf(operation, operationDigits) +
    end
  );
}

export function rankFirst(step: Step): string {
  return rankInGroup({ start: beginning, isBefore: false }, step);
}

export type Step = { readonly seq: number; readonly place: number };

export function rankAfter(rank: string, { seq, place }: Step): string {
  return rank + falling(seq) + falling(place) + end;
}

export function rankBefore(rank: string, { seq, place }: Step): string {
  return rank.slice(0, -end.length) + before + rising(seq) + rising(place) + end;
}

/** `upper` is the lower text. What already stands between them may be on either side. */
export function rankBetween(upper: string, lower: string, step: Step): string {
  const [after, ahead] = [rankAfter(upper, step), rankBefore(lower, step)];
  return ahead.length < after.length ? ahead : after;
}

/** Ranks that begin alike: all that were put right after (or right before) one place, and what was put beside those. They stand together in the order. */
export type RankGroup = {
  /** What their ranks begin with. */
  readonly start: string;
  readonly isBefore: boolean;
};

/** A rank of this group, nearest to its place, as each later step is. Steps of one `seq` are in their order of places: rising before it, falling after it. */
export function rankInGroup({ start, isBefore }: RankGroup, { seq, place }: Step): string {
  return start + (isBefore ? rising(seq) + rising(place) : falling(seq) + falling(place)) + end;
}

/** The groups that a rank is in, the largest first; each is within the one before it. */
export function groupsOf(rank: string): RankGroup[] {
  return stepsOf(rank).map(({ group }) => group);
}

/** Behind every rank that begins with what stands before it, and by itself behind all ranks. */
export const aboveRanks = "\u007f";

/** By which step the rank was made, unless it is one that was last. */
export function stepOf(rank: string): Step | undefined {
  return stepsOf(rank).at(-1)?.step;
}

function stepsOf(rank: string): { group: RankGroup; step: Step }[] {
  const steps: { group: RankGroup; step: Step }[] = [];
  for (let at = rank.startsWith(beginning) ? beginning.length : lastLength; at < rank.length; ) {
    const isBefore = rank.startsWith(before, at - end.length);
    if (isBefore) at += before.length - end.length;
    const start = rank.slice(0, at);
    const seq = numberAt(rank, at, isBefore);
    const place = seq === undefined ? undefined : numberAt(rank, seq.next, isBefore);
    if (seq === undefined || place === undefined) return steps;
    steps.push({ group: { start, isBefore }, step: { seq: seq.value, place: place.value } });
    at = place.next + end.length;
  }
  return steps;
}

/** Texts that are in the order of the numbers. */
function rising(value: number): string {
  const length = lengthOf(value);
  return digits.charAt(length) + digitsOf(value, length);
}

/** Texts that are in the opposite order. */
function falling(value: number): string {
  const length = lengthOf(value);
  return digits.charAt(base - 1 - length) + digitsOf(base ** length - 1 - value, length);
}

/** How many digits a number has; 0 has none. */
function lengthOf(value: number): number {
  let length = 0;
  for (let left = value; left > 0; left = Math.floor(left / base)) length += 1;
  return length;
}

function numberAt(text: string, at: number, isRising: boolean): { value: number; next: number } | undefined {
  const first = digits.indexOf(text.charAt(at));
  const length = isRising ? first : base - 1 - first;
  const next = at + 1 + length;
  if (first < 0 || length > numberDigitsMax || next >= text.length) return undefined;
  let number = 0;
  for (const digit of text.slice(at + 1, next)) {
    const value = digits.indexOf(digit);
    if (value < 0) return undefined;
    number = number * base + value;
  }
  return { value: isRising ? number : base ** length - 1 - number, next };
}

/** With leading zeros. */
function digitsOf(value: number, length: number): string {
  let text = "";
  for (let left = value, at = 0; at < length; at++, left = Math.floor(left / base))
    text = digits.charAt(left % base) + text;
  return text;
}
