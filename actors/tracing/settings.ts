/** OpenTelemetry's own variables, those that matter here: https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
import { type Static, Type as t } from "@sinclair/typebox";
import type { TracingSettings } from "./exporter.ts";

const orEmpty = (pattern: string) => `^$|${pattern}`;

export const tracingVariables = {
  OTEL_EXPORTER_OTLP_ENDPOINT: t.String({
    pattern: orEmpty("^https?://[^\\s/?#@]+(/[^\\s?#]*)?$"),
    default: "",
    wanted: "like http://collector:4318",
    description: "Collector of traces, by OTLP over HTTP as JSON; no traces are made without it.",
    // One with a password in it is refused, and not shown.
    secret: true,
  }),
  OTEL_EXPORTER_OTLP_HEADERS: t.String({
    pattern: orEmpty("^[^\\s=,]+=[^,\\0\\r\\n]*(,[^\\s=,]+=[^,\\0\\r\\n]*)*$"),
    default: "",
    wanted: "like name=value,name=value",
    description: "Headers of requests to the collector.",
    secret: true,
  }),
  OTEL_SERVICE_NAME: t.String({
    pattern: "^[\\x21-\\x7e]{1,255}$",
    default: "task-tracker",
    description: "Name of this service in traces.",
  }),
  OTEL_TRACES_SAMPLER_ARG: t.String({
    pattern: "^(0(\\.[0-9]{1,9})?|1(\\.0{1,9})?)$",
    default: "1",
    wanted: "like 0.1",
    description: "Share of traces that is recorded, 0 to 1, where the caller has not decided it by its `traceparent`.",
  }),
};

type Values = { readonly [Name in keyof typeof tracingVariables]: Static<(typeof tracingVariables)[Name]> };

/** Undefined: no traces. What the forms of the variables do not tell is added to `faults`. */
export function tracingSettings(values: Values, faults: string[]): TracingSettings | undefined {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: service } = values;
  const headers = headersOf(values.OTEL_EXPORTER_OTLP_HEADERS);
  // A value that does not have its form at all is told of already.
  if (headers === undefined && !faults.some((fault) => fault.startsWith("OTEL_EXPORTER_OTLP_HEADERS")))
    faults.push(
      "OTEL_EXPORTER_OTLP_HEADERS must be headers that HTTP takes, with % and comma in a value as %25 and %2C",
    );
  if (endpoint === "" || headers === undefined) return undefined;
  const ratio = Number(values.OTEL_TRACES_SAMPLER_ARG);
  return Object.freeze({ endpoint: endpoint.replace(/\/$/, ""), headers, service, ratio });
}

/** Values are percent-encoded where they must be, as in W3C Baggage. */
function headersOf(list: string): Readonly<Record<string, string>> | undefined {
  const pairs = list === "" ? [] : list.split(",").map((pair) => pair.split(/=(.*)/s, 2));
  try {
    const headers = new Headers(pairs.map(([name = "", value = ""]) => [name, decodeURIComponent(value.trim())]));
    return Object.freeze(Object.fromEntries(headers));
  } catch {
    return undefined;
  }
}
