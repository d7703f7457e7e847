/**
 * Ranks: the places of resources in an order that people choose, as texts that compare by bytes.
 *
 * A place is found without knowing the other neighbour, since a decision reads no more than the documents that a command names. A rank ends with the digit
 * `V` and is never changed by what comes beside it:
 *
 * - last: the instant, the place in the batch and digits of the operation. Later ones are behind.
 * - right after X: X and a number that falls as the space's `seq` grows. The latest one is nearest to X, and everything behind X stays behind.
 * - right before X: X with its last digit one lower, `~` (higher than every digit) and a number that grows with `seq`: again the latest one is nearest.
 *
 * Each number holds `seq` and the place in the batch, so two ranks of a space are never equal. (The package fractional-indexing needs both neighbours, and
 * gives two who fill one gap the same key.)
 */

/** In the order of their bytes. */
const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const base = digits.length;
const end = "V";
const belowEnd = "U";
const aboveDigits = "~";

/** Milliseconds up to the year 8888. */
const instantDigits = 8;
const seqDigits = 6;
/** A batch has 500 changes at most. */
const placeDigits = 2;
const operationDigits = 4;
export const rankLengthMax = 500;

/** `place`: the change's place in its operation. Needs nothing but the command, so that the edge can answer a creation before it is decided. */
export function rankLast(input: { at: string; place: number; operationId: string }): string {
  const operation = Number.parseInt(input.operationId.slice(-6), 16) % base ** operationDigits;
  return (
    number(Math.max(0, Date.parse(input.at)), instantDigits) +
    number(input.place, placeDigits) +
    number(operation, operationDigits) +
    end
  );
}

export type Step = { readonly seq: number; readonly place: number };

export function rankAfter(rank: string, { seq, place }: Step): string {
  return (
    rank + number(base ** seqDigits - 1 - seq, seqDigits) + number(base ** placeDigits - 1 - place, placeDigits) + end
  );
}

export function rankBefore(rank: string, { seq, place }: Step): string {
  return rank.slice(0, -1) + belowEnd + aboveDigits + number(seq, seqDigits) + number(place, placeDigits) + end;
}

/** With leading zeros. */
function number(value: number, length: number): string {
  let text = "";
  for (let left = value, at = 0; at < length; at++, left = Math.floor(left / base))
    text = digits.charAt(left % base) + text;
  return text;
}
