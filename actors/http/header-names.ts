/** Every header that clients send us or read from us, with its meaning: what CORS allows and exposes, what OpenAPI tells and what tests expect is made from these. */

export const requestHeaders = {
  Authorization: "`Bearer` and an access token or API token",
  "Content-Type": "The media type of the body",
  "If-Match": "Quoted versions of which the resource must have one, or `*` for any",
  "If-None-Match": "Quoted versions that the client has; `*` with PUT: make it, if there is none",
  "Idempotency-Key": "1 to 255 visible ASCII characters; the same request sent again with it takes effect once",
  "Consistency-Token": "From the answer to a write: the read sees that write or a later one",
  "X-Request-Id": "1 to 128 visible ASCII characters that answers and logs repeat",
  traceparent: "W3C trace context, which is continued",
  tracestate: "W3C trace context of the caller's vendor",
  "X-Token-Delivery": "`cookie`: the refresh token comes as a cookie",
  "Last-Event-ID": "The last event that was received, to go on behind it",
} as const;
export type RequestHeader = keyof typeof requestHeaders;

/** The forms of those that clients make and that are refused otherwise, as regular expressions of the kind that JSON Schema takes. A Consistency-Token is opaque. */
export const requestHeaderForms = {
  "If-Match": '^(?:\\*|(?:W/)?"[!#-~]*"(?:, *(?:W/)?"[!#-~]*")*)$',
  "Idempotency-Key": "^[!-~]{1,255}$",
  "X-Token-Delivery": "^cookie$",
} as const satisfies Partial<Record<RequestHeader, string>>;

export const answerHeaders = {
  ETag: "The resource's version, quoted",
  Location: "Where the new resource or the operation is",
  Allow: "The methods that the path takes",
  "Consistency-Token": "The write's place in the log, for reads that must see it",
  Consistency: "`stale`: the caller's latest writes may be missing",
  "Idempotency-Replayed": "`true`: the first answer again",
  "RateLimit-Policy": "Requests of one user per window",
  RateLimit: "What is left of the window, and when it ends",
  "Retry-After": "Seconds until it is worth trying again",
  "WWW-Authenticate": "How to authenticate",
  "X-Request-Id": "The request's id, as given or made",
} as const;
export type AnswerHeader = keyof typeof answerHeaders;
