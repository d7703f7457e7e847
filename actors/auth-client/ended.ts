/** Reads what another process tells of ended sessions and API tokens; it came over a network, so its form is checked. */
import type { Ended } from "../auth/messages.ts";

const hashPattern = /^[0-9a-f]{64}$/;

/** Undefined when the value is no list of them. */
export function endedOf(value: unknown): Ended[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const ended: Ended[] = [];
  for (const each of value as unknown[]) {
    if (typeof each !== "object" || each === null) return undefined;
    const { hash, untilMs } = each as Partial<Ended>;
    if (typeof hash !== "string" || !hashPattern.test(hash) || !Number.isSafeInteger(untilMs)) return undefined;
    ended.push({ hash, untilMs: untilMs as number });
  }
  return ended;
}
