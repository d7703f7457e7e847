/** A collector of traces: takes OTLP over HTTP as JSON and keeps what it is sent. */
import type { FinishedSpan } from "../../actors/tracing/exporter.ts";

type Resource = { attributes: { key: string; value: { stringValue: string } }[] };
type Sent = { resourceSpans: { resource: Resource; scopeSpans: { spans: FinishedSpan[] }[] }[] };

/** `instance`: the thread that has sent it. */
export type CollectedSpan = FinishedSpan & { readonly service: string; readonly instance: string };

export type Collector = {
  readonly url: string;
  spans(): readonly CollectedSpan[];
  spansOf(traceId: string): CollectedSpan[];
  services(): string[];
  /** What requests had in this header. */
  headers(name: string): string[];
  close(): void;
};

/** `silent`: takes requests and never answers. */
export function collector({ silent = false } = {}): Collector {
  const spans: CollectedSpan[] = [];
  const headers: Headers[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      headers.push(request.headers);
      const isOurs = new URL(request.url).pathname === "/v1/traces" && request.method === "POST";
      if (!isOurs || request.headers.get("content-type") !== "application/json")
        return new Response(null, { status: 404 });
      if (silent) return new Promise<Response>(() => undefined);
      const { resourceSpans } = (await request.json()) as Sent;
      for (const { resource, scopeSpans } of resourceSpans) {
        const of = (key: string) => resource.attributes.find((each) => each.key === key)?.value.stringValue ?? "";
        const known = { service: of("service.name"), instance: of("service.instance.id") };
        for (const scope of scopeSpans) spans.push(...scope.spans.map((span) => ({ ...span, ...known })));
      }
      return Response.json({});
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    spans: () => spans,
    spansOf: (traceId) => spans.filter((span) => span.traceId === traceId),
    services: () => [...new Set(spans.map(({ service }) => service))],
    headers: (name) => headers.flatMap((each) => each.get(name) ?? []),
    close: () => void server.stop(true),
  };
}
