/** A batch whose effect fails for a while is held: tried again with pauses, for ever, while the group hears that this member lives. */
import type { EachBatchPayload } from "kafkajs";
import { pauseMs } from "../waiting.ts";

export type HoldOptions = {
  /** The first failure of a batch, and its success after failures. */
  readonly failing: (error: Error) => void;
  readonly recovered: () => void;
};

const heartbeatMs = 1_000;
const pauses = { fromMs: 100, toMs: 5_000 };

/** True when the step has succeeded; false when this member may no longer work on the partition. Throws what the group says when it takes it away. */
export async function holdBatch(
  payload: EachBatchPayload,
  step: () => Promise<void>,
  { failing, recovered }: HoldOptions,
): Promise<boolean> {
  let lost: unknown;
  let beating = false;
  const beat = async () => {
    if (beating) return;
    beating = true;
    try {
      await payload.heartbeat();
    } catch (error) {
      lost = error;
    }
    beating = false;
  };
  const timer = setInterval(() => void beat(), heartbeatMs);
  try {
    for (let failures = 0; payload.isRunning() && !payload.isStale(); ) {
      if (lost !== undefined) throw lost;
      try {
        await step();
        if (failures > 0) recovered();
        return true;
      } catch (error) {
        failures += 1;
        if (failures === 1) failing(error as Error);
        await new Promise((resolve) => setTimeout(resolve, pauseMs(failures, pauses)));
      }
    }
    return false;
  } finally {
    clearInterval(timer);
  }
}
