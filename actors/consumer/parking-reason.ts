/** Which faults of a command are its own: these are set aside, and trying again does not mend them. */
import { StoredTextError } from "../mongo/space-collections.ts";
import { UndecidableError } from "./partition-writer.ts";

/** A reason to park, in words that have nothing of the content; undefined where trying again may help. */
export function parkingReasonOf(fault: unknown): string | undefined {
  if (fault instanceof StoredTextError) return fault.message;
  return fault instanceof UndecidableError ? `${fault.message}: ${(fault.cause as Error).name}` : undefined;
}
