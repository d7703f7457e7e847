/**
 * Sends spans to a collector by OTLP over HTTP, as JSON. Nobody waits for it: spans gather in a bounded queue, what finds no room is dropped and counted,
 * each request has a deadline.
 *
 * An own one of these lines, since OpenTelemetry's packages bring some forty others and an instrumentation that the two runtimes do not share.
 */
import type { Self } from "../../runtime/actor.ts";
import { counter } from "../metrics/registry.ts";
import { outage } from "../outage.ts";
import { pauseMs, settles } from "../waiting.ts";

/** As the configuration gives it and the tree hands it on. */
export type TracingSettings = {
  /** The collector's base, without a slash at the end. */
  readonly endpoint: string;
  /** Sent with each request; may hold a secret. */
  readonly headers: Readonly<Record<string, string>>;
  readonly service: string;
  /** Of those traces that begin here, 0 to 1; of others their caller decides. */
  readonly ratio: number;
};

/** A span in OTLP's JSON. */
export type FinishedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly status: { readonly code?: number };
};
export type Attribute = { readonly key: string; readonly value: { stringValue: string } | { intValue: string } };

export type Exporter = {
  add(span: FinishedSpan): void;
  /** Sends what waits, for at most a second. */
  close(): Promise<void>;
};

const waitingMax = 2_048;
const batchMax = 512;
const gatherMs = 1_000;
const requestMs = 5_000;
const closeMs = 1_000;
const pauses = { fromMs: 1_000, toMs: 30_000 };
/** What OTLP's document calls retryable: https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes */
const retryable = [429, 502, 503, 504];

const spans = counter("trace_spans_total", "Spans by what became of them.", {
  labels: ["result"],
  known: [["exported"], ["dropped"]],
});
const exported = spans.of("exported");
const dropped = spans.of("dropped");

export function exporter(self: Pick<Self, "name" | "index" | "log">, settings: TracingSettings): Exporter {
  const { endpoint, headers, service } = settings;
  const resource = {
    attributes: [
      text("service.name", service),
      text("service.instance.id", crypto.randomUUID()),
      text("thread.name", `${self.name}/${self.index}`),
    ],
  };
  const told = outage(self.log, { server: "collector", urls: [endpoint], step: "send traces" });
  let waiting: FinishedSpan[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let sending: Promise<void> | undefined;
  let failures = 0;
  let closed = false;

  function schedule(): void {
    if (timer !== undefined || sending !== undefined || waiting.length === 0 || closed) return;
    const isFull = waiting.length >= batchMax && failures === 0;
    timer = setTimeout(() => void flush(), failures > 0 ? pauseMs(failures, pauses) : isFull ? 0 : gatherMs);
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    sending ??= send().finally(() => {
      sending = undefined;
      schedule();
    });
    return sending;
  }

  async function send(): Promise<void> {
    const batch = waiting.slice(0, batchMax);
    if (batch.length === 0) return;
    const fault = await post(batch);
    if (fault?.again === true) {
      failures += 1;
      told.failed(fault.why);
      return;
    }
    waiting.splice(0, batch.length);
    (fault === undefined ? exported : dropped).add(batch.length);
    failures = 0;
    if (fault === undefined) told.succeeded();
    else told.failed(fault.why);
  }

  async function post(batch: readonly FinishedSpan[]): Promise<{ why: unknown; again: boolean } | undefined> {
    try {
      const answer = await fetch(`${endpoint}/v1/traces`, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify({
          resourceSpans: [{ resource, scopeSpans: [{ scope: { name: "task-tracker" }, spans: batch }] }],
        }),
        redirect: "error",
        signal: AbortSignal.timeout(requestMs),
      });
      await answer.body?.cancel();
      if (answer.ok) return undefined;
      return { why: `it answers ${answer.status}`, again: retryable.includes(answer.status) };
    } catch (why) {
      return { why, again: true };
    }
  }

  return {
    add(span) {
      if (waiting.length >= waitingMax || closed) return dropped.add();
      waiting.push(span);
      schedule();
    },
    async close() {
      await settles(
        (async () => {
          await sending;
          failures = 0;
          while (waiting.length > 0 && failures === 0) await flush();
        })(),
        closeMs,
      );
      closed = true;
      clearTimeout(timer);
      dropped.add(waiting.length);
      waiting = [];
    },
  };
}

export const text = (key: string, value: string): Attribute => ({ key, value: { stringValue: value } });
export const whole = (key: string, value: number): Attribute => ({ key, value: { intValue: String(value) } });
