/** What the edge counts of each request: by the route's template, never by its path, so that nobody from outside makes series. */
import { type Counter, counter, gauge, type Histogram, histogram } from "../metrics/registry.ts";

const requests = counter("http_requests_total", "Requests answered, by route and status.", {
  labels: ["method", "route", "status"],
});
const durations = histogram(
  "http_request_duration_seconds",
  "From a request's headers to its answer being ready, its body and every wait included.",
  { labels: ["method", "route"] },
);
const inFlight = gauge("http_requests_in_flight", "Requests that are not answered yet.");

/** Any other word may come as a method. */
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** Runs what answers, and counts the answer when it is ready. */
export type Meter = (answer: () => Response | Promise<Response>) => Response | Promise<Response>;

/** Its series are made with the first request: most routes of most processes never have one. */
export function meter(method: string, route: string): Meter {
  let duration: Histogram | undefined;
  const byStatus: Counter[] = [];
  const done = (status: number, startMs: number): void => {
    inFlight.add(-1);
    duration ??= durations.of(method, route);
    duration.observe((performance.now() - startMs) / 1_000);
    const counted = (byStatus[status] ??= requests.of(method, route, String(status)));
    counted.add();
  };
  return (answer) => {
    const startMs = performance.now();
    inFlight.add(1);
    try {
      const response = answer();
      if (response instanceof Promise)
        return response.then(
          (ready) => {
            done(ready.status, startMs);
            return ready;
          },
          (failure: unknown) => {
            done(500, startMs);
            throw failure;
          },
        );
      done(response.status, startMs);
      return response;
    } catch (failure) {
      done(500, startMs);
      throw failure;
    }
  };
}

/** Of what no route takes. */
export function meterOfUnknown(): (method: string) => Meter {
  const meters = new Map(methods.map((method) => [method, meter(method, "none")]));
  const other = meter("other", "none");
  return (method) => meters.get(method) ?? other;
}
