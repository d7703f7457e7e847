/** What the courier counts. */
import { counter, gauge, histogram } from "../metrics/registry.ts";

export const attempts = counter("webhook_attempts_total", "Attempts to deliver a fact to a webhook.", {
  labels: ["outcome"],
  known: [["delivered"], ["failed"], ["gone"]],
});
export const durations = histogram(
  "webhook_attempt_duration_seconds",
  "From the look-up of a webhook's name to the end of the answer.",
  {
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15],
  },
);
export const stopped = gauge("webhooks_stopped", "Webhooks that are paused or disabled until somebody resumes them.");
