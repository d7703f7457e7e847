/** The writer's part of the traces of its commands: one span for each command that is traced, and one for its announcement. */
import type { Outcome } from "../model/command.ts";
import { text, whole } from "../tracing/exporter.ts";
import type { Span, Tracer } from "../tracing/tracer.ts";
import type { Delivery } from "./apply.ts";

export type BatchTrace = {
  /** They are durable. */
  written(outcomes: readonly (Outcome | undefined)[]): void;
  /** They are announced, which began after they were written. */
  announced(): void;
};

/**
 * Told of a batch that has begun. Nothing comes of one that fails: it is tried again as a whole or in parts, and a store that is away for an hour would
 * fill the trace with its tries.
 */
export function batchTrace(tracer: Tracer | undefined, deliveries: readonly Delivery[]): BatchTrace | undefined {
  if (tracer === undefined) return undefined;
  const spans: { span: Span; at: number; announcing?: Span | undefined }[] = [];
  for (const [at, { command }] of deliveries.entries()) {
    if (command.traceparent === undefined) continue;
    const parent = command.traceparent;
    const span = tracer.start(`write ${command.kind}`, { kind: "consumer", parent, onlyWithin: true });
    if (span !== undefined) spans.push({ span, at });
  }
  if (spans.length === 0) return undefined;
  return {
    written(outcomes) {
      for (const each of spans) {
        const { position, command } = deliveries[each.at] as Delivery;
        each.span.end([
          text("tt.operation_id", command.operationId),
          text("tt.verdict", outcomes[each.at]?.verdict ?? "forgotten"),
          whole("tt.log.partition", position.partition),
          whole("tt.log.offset", position.offset),
          whole("messaging.batch.message_count", deliveries.length),
        ]);
        const parent = each.span.traceparent;
        each.announcing = tracer.start("announce", { kind: "producer", parent, onlyWithin: true });
      }
    },
    announced() {
      for (const { announcing } of spans) announcing?.end();
    },
  };
}
