/** What an admission (admission.ts) has admitted and refused. */

/** Plain numbers for whoever shows them. Refusals are counted by reason: the queue's bound, the waiting time, or room made for a newcomer. */
export type AdmissionCounts = {
  waiting: number;
  underWay: number;
  bytesUnderWay: number;
  admitted: number;
  /** Their clients went away while they waited. */
  abandoned: number;
  refused: { full: number; late: number; displaced: number };
};

export function plainCounts(): AdmissionCounts {
  return {
    waiting: 0,
    underWay: 0,
    bytesUnderWay: 0,
    admitted: 0,
    abandoned: 0,
    refused: { full: 0, late: 0, displaced: 0 },
  };
}
