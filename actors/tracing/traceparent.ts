/** W3C Trace Context: https://www.w3.org/TR/trace-context/#traceparent-header */

/** No all-zero id, no version ff; later versions may append to it. */
const ids = "-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}";
const pattern = new RegExp(`^(?:00${ids}|(?!00|ff)[0-9a-f]{2}${ids}(?:-.*)?)$`);

/** What a later version appends is carried on, but not without end: the log takes no longer one. */
const charsMax = 512;

export const isTraceparent = (text: string): boolean => text.length <= charsMax && pattern.test(text);

export type TraceContext = { readonly traceId: string; readonly spanId: string; readonly sampled: boolean };

/** Undefined for what is none. */
export function readTraceparent(text: string | undefined | null): TraceContext | undefined {
  if (text === undefined || text === null || !isTraceparent(text)) return undefined;
  return {
    traceId: text.slice(3, 35),
    spanId: text.slice(36, 52),
    sampled: (Number.parseInt(text.slice(53, 55), 16) & 1) === 1,
  };
}
