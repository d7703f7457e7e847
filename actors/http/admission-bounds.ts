/** How much work is admitted at once, and how long the rest may wait for it ([admission](./admission.ts)). */

export type AdmissionBounds = {
  /** New work in one turn of the event loop; the request under way when it is over still ends. */
  readonly turnMs: number;
  /** Requests that wait, of all and of one. */
  readonly waitingMax: number;
  readonly waitingMaxOfOne: number;
  /** Requests begun and not answered, of all and of one. */
  readonly underWayMax: number;
  readonly underWayMaxOfOne: number;
  /** Bytes of large answers that clients have not taken yet, of all and of one. */
  readonly bytesMax: number;
  readonly bytesMaxOfOne: number;
  /**
   * Requests of one that may wait for `shortWaitMs`, whatever else: as many as an ordinary client has under way at once. They wait because of others, or because
   * the machine is slow, and have nothing to gain from a quick refusal.
   */
  readonly shortMax: number;
  readonly shortWaitMs: number;
  /** In a longer queue a burst may wait for so long; */
  readonly burstWaitMs: number;
  /** in one that has not been empty for `burstMs` (more comes than can be done), waiting ends after `overloadWaitMs` (controlled delay), in the queue of one user however short it is then; */
  readonly burstMs: number;
  readonly overloadWaitMs: number;
  /** and its large answers wait for each other to be taken: what a client has not read yet only makes its next answers late, and the threads of others. */
  readonly overloadBytesMaxOfOne: number;
  /** This lasts for so long; then patience is tried again. When the queue grows long again within that time, it is twice as long, up to `calmMaxMs`. */
  readonly calmMs: number;
  readonly calmMaxMs: number;
};

export const admissionBounds: AdmissionBounds = {
  turnMs: 8,
  waitingMax: 4_096,
  waitingMaxOfOne: 1_024,
  underWayMax: 1_024,
  underWayMaxOfOne: 512,
  bytesMax: 128 * 2 ** 20,
  bytesMaxOfOne: 32 * 2 ** 20,
  shortMax: 32,
  shortWaitMs: 5_000,
  burstWaitMs: 500,
  burstMs: 100,
  overloadWaitMs: 5,
  overloadBytesMaxOfOne: 2 * 2 ** 20,
  calmMs: 1_000,
  calmMaxMs: 4_000,
};
