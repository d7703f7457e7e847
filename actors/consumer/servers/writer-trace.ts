/** The writer's part of the traces of commands of spaces: a span for each command that is traced, from its taking to its verdict being told. */
import { type Command, commandName } from "../../resources/command.ts";
import type { Told } from "../../resources/verdict.ts";
import { text, whole } from "../../tracing/exporter.ts";
import type { Span, Tracer } from "../../tracing/tracer.ts";

type Taken = { readonly position: number; readonly command: Command };

/** Told of a take that has begun; what it answers is to be called with what came of it, and not at all where it failed. */
export function takeTrace(
  tracer: Tracer | undefined,
  partition: number,
  taken: readonly Taken[],
): ((all: readonly Told[]) => void) | undefined {
  if (tracer === undefined) return undefined;
  const spans = new Map<number, { span: Span; operationId: string }>();
  for (const { position, command } of taken) {
    if (command.traceparent === undefined) continue;
    const parent = command.traceparent;
    const span = tracer.start(`write ${commandName(command)}`, { kind: "consumer", parent, onlyWithin: true });
    if (span !== undefined) spans.set(position, { span, operationId: command.operationId });
  }
  if (spans.size === 0) return undefined;
  return (all) => {
    for (const told of all) {
      const traced = spans.get(told.position);
      traced?.span.end([
        text("tt.operation_id", traced.operationId),
        text("tt.verdict", told.kind === "decided" ? told.fact.verdict : told.kind),
        whole("tt.log.partition", partition),
        whole("tt.log.offset", told.position),
        whole("messaging.batch.message_count", taken.length),
      ]);
    }
  };
}
