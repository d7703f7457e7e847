/** The closed list of failures: status, title and the sentence behind `GET /problems/<code>`. */

export const problems = {
  "malformed-json": {
    status: 400,
    title: "Malformed JSON",
    about:
      "The body is not one well-formed JSON text in UTF-8 without a byte order mark, with unique keys and at most 64 levels.",
  },
  "malformed-header": {
    status: 400,
    title: "Malformed header",
    about: "A request header such as If-Match, Idempotency-Key or Consistency-Token does not have its form.",
  },
  unauthenticated: {
    status: 401,
    title: "Not authenticated",
    about: "The request needs a valid access token or API token in the Authorization header.",
  },
  "invalid-credentials": {
    status: 401,
    title: "Invalid credentials",
    about: "The e-mail and password do not belong together.",
  },
  "token-reused": {
    status: 401,
    title: "Refresh token reused",
    about: "A spent refresh token was presented again; its session has been ended for safety.",
  },
  forbidden: {
    status: 403,
    title: "Forbidden",
    about: "The token, or the role in the space, does not grant this action.",
  },
  "registration-closed": {
    status: 403,
    title: "Registration closed",
    about: "Accounts of this server are made by whoever runs it.",
  },
  "not-found": { status: 404, title: "Not found", about: "There is nothing here that this request may see." },
  "method-not-allowed": {
    status: 405,
    title: "Method not allowed",
    about: "The path exists but not with this method; the Allow header lists those that it takes.",
  },
  "email-taken": { status: 409, title: "E-mail taken", about: "Another account uses this e-mail address." },
  conflict: {
    status: 409,
    title: "Conflict",
    about:
      "The state of things does not allow this: there is nothing to undo, the id is taken, what is not deleted cannot be restored, or the project is archived.",
  },
  "last-owner": {
    status: 409,
    title: "Last owner",
    about: "A space always has an owner: make another member an owner first.",
  },
  "limit-reached": {
    status: 409,
    title: "Limit reached",
    about:
      "The change would exceed a bound: of members, spaces, projects, items of a set, or the size of one operation.",
  },
  resync: {
    status: 410,
    title: "Read again from the start",
    about: "The facts that the client has are not of this store: it was restored from a backup or set up anew.",
  },
  "version-mismatch": {
    status: 412,
    title: "Version mismatch",
    about: "The resource's version is not one that the request's condition names.",
  },
  "body-too-large": {
    status: 413,
    title: "Body too large",
    about: "A request body may have at most 256 KiB, a batch 2 MiB.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "Unsupported media type",
    about: "The body's Content-Type is not one that this route takes.",
  },
  validation: {
    status: 422,
    title: "Validation failed",
    about: "The request is well-formed but some of its values are not acceptable; `errors` lists every fault.",
  },
  "invalid-reference": {
    status: 422,
    title: "Invalid reference",
    about: "The request refers to something that is not there, or that does not fit; `errors` tells which.",
  },
  "precondition-required": {
    status: 428,
    title: "Precondition required",
    about: "This change needs an If-Match with the version that it was made from.",
  },
  "idempotency-mismatch": {
    status: 422,
    title: "Idempotency key reused",
    about: "The Idempotency-Key was used before for a different request.",
  },
  "invalid-cursor": {
    status: 422,
    title: "Invalid cursor",
    about: "The cursor was not made by this server for this user, these filters and this sort.",
  },
  "rate-limited": {
    status: 429,
    title: "Too many requests",
    about:
      "The limit in RateLimit-Policy is used up, or there were too many wrong passwords in a row; Retry-After says when to come back.",
  },
  internal: {
    status: 500,
    title: "Internal error",
    about: "The server failed; the request id finds the cause in its log.",
  },
  "log-unavailable": {
    status: 503,
    title: "Log unavailable",
    about: "The change could not be made durable now; retry with the same Idempotency-Key.",
  },
  "read-model-unavailable": {
    status: 503,
    title: "Read model unavailable",
    about: "What is in spaces cannot be read now; retry soon.",
  },
  "users-unavailable": {
    status: 503,
    title: "Users unavailable",
    about: "Accounts cannot be read or changed now; retry soon.",
  },
  "not-yet-visible": {
    status: 503,
    title: "Not yet visible",
    about: "The write that Consistency-Token names is not visible here yet; retry soon.",
  },
  overloaded: { status: 503, title: "Overloaded", about: "The server has more work than it can take; retry soon." },
} as const;

export type ProblemCode = keyof typeof problems;

/** One fault of a validated body or query: `path` is a JSON pointer into the body, or `/<name>` of a query parameter. */
export type Fault = { path: string; message: string };

/** Faults told at most: a request may have more of them than anybody reads, in an answer many times its size. */
export const faultsMax = 1_000;

/** All faults, or as many as are told, of which the last says that there are more. */
function told(faults: readonly Fault[]): readonly Fault[] {
  if (faults.length <= faultsMax) return faults;
  const more = { path: "", message: `has more faults than these ${(faultsMax - 1).toLocaleString("en")}` };
  return [...faults.slice(0, faultsMax - 1), more];
}

/** A failure that a client is told about. The message becomes `detail`: it never holds a token, a host or a driver's text. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly Fault[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Further members of the answer (RFC 9457 §3.2). */
  readonly more: Readonly<Record<string, unknown>>;
  constructor(
    code: ProblemCode,
    detail?: string,
    more: {
      errors?: readonly Fault[];
      headers?: Readonly<Record<string, string>>;
      more?: Readonly<Record<string, unknown>>;
      cause?: unknown;
    } = {},
  ) {
    super(detail ?? problems[code].about, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "Problem";
    this.code = code;
    this.errors = more.errors && told(more.errors);
    this.headers = more.headers ?? {};
    this.more = more.more ?? {};
  }
}
