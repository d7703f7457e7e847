/** Quick revocation inside this process: a message to the workers that verify tokens. */
import type { Ended } from "./messages.ts";
import type { Revocations } from "./ports.ts";

export function revocationsInProcess(publish: (ended: Ended[]) => void): Revocations {
  return { announce: async (ended) => publish(ended) };
}
