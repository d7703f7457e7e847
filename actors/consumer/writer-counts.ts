/** What the writer counts, wherever its log is. */
import { counter, histogram } from "../metrics/registry.ts";
import type { Told } from "../resources/verdict.ts";

const commands = counter(
  "writer_commands_total",
  "Commands decided; forgotten: taken again so late that their outcome is gone.",
  {
    labels: ["verdict"],
  },
);
const verdicts = {
  applied: commands.of("applied"),
  rejected: commands.of("rejected"),
  replayed: commands.of("replayed"),
  forgotten: commands.of("forgotten"),
} as const;
const batches = histogram("writer_batch_duration_seconds", "From a batch of commands being taken to it being durable.");
const failures = counter(
  "writer_batch_failures_total",
  "Batches that could not be made durable; they are tried again.",
);

const parkedCommands = counter(
  "writer_parked_commands_total",
  "Commands set aside because they could not be understood or decided.",
);

/** Runs one take of commands of spaces and counts what comes of it. */
export async function countedTake(take: () => Promise<readonly Told[]>): Promise<readonly Told[]> {
  const startMs = performance.now();
  try {
    const all = await take();
    batches.observe((performance.now() - startMs) / 1_000);
    for (const told of all) {
      if (told.kind === "parked") parkedCommands.add();
      else if (told.kind === "repeated") verdicts.replayed.add();
      else if (told.kind === "expired") verdicts.forgotten.add();
      else verdicts[told.fact.verdict === "rejected" ? "rejected" : "applied"].add();
    }
    return all;
  } catch (error) {
    failures.add();
    throw error;
  }
}
