/** How often a child may be restarted, and how long to wait before the next try. */

export type Intensity = {
  /** Restarts allowed within the period; one more and the supervisor fails. */
  readonly intensity: number;
  readonly periodMs: number;
};

export type BackOff = {
  /** The bound of the first wait; it doubles with every further failure. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** A child that was up for so long starts from no wait again. */
  readonly stableMs: number;
};

/**
 * Counts one restart now, as OTP's add_restart: the times of the restarts within the period, this one included,
 * or undefined when that is more than the intensity.
 */
export function addRestart(
  restartsMs: readonly number[],
  nowMs: number,
  { intensity, periodMs }: Intensity,
): number[] | undefined {
  const recent = [...restartsMs.filter((atMs) => nowMs - atMs <= periodMs), nowMs];
  return recent.length > intensity ? undefined : recent;
}

/** Milliseconds before the next try after so many failures in a row: none after the first, then full jitter below a doubling bound. */
export function backOffMs(failures: number, { baseMs, maxMs }: BackOff, random: () => number): number {
  if (failures <= 1) return 0;
  return Math.floor(random() * Math.min(maxMs, baseMs * 2 ** (failures - 2)));
}
