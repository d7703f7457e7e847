/** Makes the spans of this thread. There is none unless traces are asked for: whoever could make a span asks for that first, and does nothing else. */
import type { Self } from "../../runtime/actor.ts";
import { type Attribute, type Exporter, exporter, type TracingSettings } from "./exporter.ts";
import { readTraceparent } from "./traceparent.ts";

/** OTLP's numbers. */
const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;
const failedStatus = { code: 2 };

export type Span = {
  /** For whoever goes on with the trace below this span. */
  readonly traceparent: string;
  end(attributes?: readonly Attribute[], outcome?: { failed: boolean }): void;
};

export type SpanOptions = {
  readonly kind: keyof typeof kinds;
  /** A W3C traceparent; without one a trace begins here, if its turn has come. */
  readonly parent: string | undefined | null;
  /** Only as a part of a trace that is recorded already. */
  readonly onlyWithin?: true;
  /** When it began, as `performance.now()` tells; now unless told. */
  readonly startMs?: number;
};

export type Tracer = {
  /** Undefined when the trace is not to be recorded: its caller has decided so, or chance has. */
  start(name: string, options: SpanOptions): Span | undefined;
  close(): Promise<void>;
};

/** Undefined unless traces are asked for. */
export function tracerOf(
  self: Pick<Self, "name" | "index" | "log">,
  settings: TracingSettings | undefined,
): Tracer | undefined {
  return settings === undefined ? undefined : tracer(exporter(self, settings), settings.ratio);
}

export function tracer(to: Exporter, ratio: number): Tracer {
  return {
    start(name, { kind, parent, onlyWithin, startMs = performance.now() }) {
      const above = readTraceparent(parent);
      if (above === undefined ? onlyWithin === true || Math.random() >= ratio : !above.sampled) return undefined;
      const traceId = above?.traceId ?? randomHex(16);
      const spanId = randomHex(8);
      return {
        traceparent: `00-${traceId}-${spanId}-01`,
        end(attributes = [], { failed } = { failed: false }) {
          to.add({
            traceId,
            spanId,
            ...(above === undefined ? {} : { parentSpanId: above.spanId }),
            name,
            kind: kinds[kind],
            startTimeUnixNano: nanoseconds(startMs),
            endTimeUnixNano: nanoseconds(performance.now()),
            attributes,
            status: failed ? failedStatus : {},
          });
        },
      };
    },
    close: () => to.close(),
  };
}

/** Microseconds are as fine as a double tells today's. */
const nanoseconds = (ms: number): string => `${Math.round((performance.timeOrigin + ms) * 1_000)}000`;

const randomHex = (bytes: number): string => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("hex");
