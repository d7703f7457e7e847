/** What the admission of this thread counts, shown as metrics. */
import { type Counter, counter, gauge } from "../metrics/registry.ts";
import { type AdmissionCounts, plainCounts } from "./admission-counts.ts";

const waiting = gauge("http_requests_waiting", "Requests that wait for their turn.");
const answerBytes = gauge("http_answer_bytes", "Bytes of large answers that their clients have not taken yet.");
const refused = counter("http_requests_overloaded_total", "Requests that were not worked on, by reason.", {
  labels: ["reason"],
  known: [["full"], ["late"], ["displaced"], ["abandoned"]],
});

/** Counts as any other; each change of those that are shown is one of the metric, too. */
export function admissionMetrics(): AdmissionCounts {
  const counts = plainCounts();
  watch(counts, "waiting", (to) => waiting.set(to));
  watch(counts, "bytesUnderWay", (to) => answerBytes.set(to));
  watch(counts, "abandoned", added(refused.of("abandoned")));
  for (const reason of ["full", "late", "displaced"] as const) watch(counts.refused, reason, added(refused.of(reason)));
  return counts;
}

function added(to: Counter): (now: number, before: number) => void {
  return (now, before) => to.add(now - before);
}

function watch<Name extends string>(
  of: Record<Name, number>,
  name: Name,
  changed: (now: number, before: number) => void,
): void {
  let value = of[name];
  Object.defineProperty(of, name, {
    enumerable: true,
    get: () => value,
    set: (to: number) => {
      changed(to, value);
      value = to;
    },
  });
}
