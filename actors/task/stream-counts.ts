/** Metrics of the streams of events. */
import { counter, gauge, histogram } from "../metrics/registry.ts";

export const open = gauge("streams_open", "Streams of events that are open.");
export const cut = counter("streams_cut_total", "Streams of events cut off because their readers did not keep up.");
export const told = counter("stream_events_total", "Facts sent on streams of events.");
export const backlog = gauge("stream_backlog_bytes", "Bytes that readers of streams have not taken yet.");
export const lag = histogram(
  "stream_lag_seconds",
  "From the verdict on a change until its fact is written to all live streams.",
);
