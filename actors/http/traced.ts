/** A span for each request of a route, where traces are asked for. */
import { text, whole } from "../tracing/exporter.ts";
import type { Span, Tracer } from "../tracing/tracer.ts";
import type { Peer } from "./peer.ts";
import type { Route } from "./route.ts";
import { pathOf } from "./target.ts";

/** Serves one request; `traceparent` is where its trace goes on, in place of the caller's. */
export type Serve = (
  request: Request,
  params: Record<string, string>,
  peer: Peer | undefined,
  traceparent?: string,
) => Response | Promise<Response>;

/** The same, in a span that goes on with the caller's trace where there is one. */
export function traced(serve: Serve, route: Route, tracer: Tracer | undefined): Serve {
  if (tracer === undefined) return serve;
  return (request, params, peer) => {
    const parent = request.headers.get("traceparent");
    const span = tracer.start(`${request.method} ${route.path}`, { kind: "server", parent });
    if (span === undefined) return serve(request, params, peer);
    const answer = serve(request, params, peer, span.traceparent);
    if (!(answer instanceof Promise)) return ended(span, answer, request, route);
    return answer.then((ready) => ended(span, ready, request, route));
  };
}

function ended(span: Span, answer: Response, request: Request, route: Route): Response {
  const attributes = [
    text("http.request.method", request.method),
    text("http.route", route.path),
    text("url.path", pathOf(request.url)),
    whole("http.response.status_code", answer.status),
    text("tt.request_id", answer.headers.get("x-request-id") ?? ""),
  ];
  // Of a server's span only its own faults are errors: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
  span.end(attributes, { failed: answer.status >= 500 });
  return answer;
}
