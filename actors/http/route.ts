/** A route as data: Elysia's routes, the 405 table and the OpenAPI document are all made from a role's list of these. */
import type { TSchema } from "@sinclair/typebox";
import type { Fault, ProblemCode } from "../model/problem.ts";
import type { AnswerHeader, RequestHeader } from "./header-names.ts";
import type { Peer } from "./peer.ts";

/** Who asks. */
export type Caller = {
  readonly userId: string;
  /** The session behind an access token; undefined for an API token. */
  readonly sessionId: string | undefined;
  readonly scopes: readonly string[];
  /** `RateLimit-Policy` and `RateLimit` of this answer. */
  readonly limits: Readonly<Record<string, string>>;
  /** By what a revocation names it, and until when it counts. */
  readonly credential?: { readonly hash: string; readonly expMs: number };
  /** Counts so many more requests for this one. Throws `rate-limited`. */
  readonly charge?: (requests: number) => void;
};

/** One request, already past every convention of the contract that its route declares. */
export type Call = {
  readonly request: Request;
  readonly requestId: string;
  readonly traceparent: string | undefined;
  readonly params: Readonly<Record<string, string>>;
  /** Repeated names keep every value; already checked against `query`. */
  readonly query: URLSearchParams;
  /** The parsed and checked body; undefined where the route takes none. */
  readonly body: unknown;
  /** Set wherever the route's `auth` is "user". */
  readonly caller: Caller | undefined;
  /** Who is at the other end of the connection; undefined where the request came over none. */
  readonly peer: Peer | undefined;
};

/** What a handler answers; the edge adds the headers that every answer has. `json` is a JSON text, sent as it is. */
export type Answer = {
  status: number;
  json?: string;
  /** In the place of `json`: made as the client takes it. Its `content-type` is in `headers`. */
  stream?: ReadableStream<Uint8Array>;
  /** In the place of `json`: a file's content. Its `content-type` is in `headers`. */
  bytes?: Uint8Array<ArrayBuffer>;
  headers?: Record<string, string>;
};

export type Route = {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** With `:name` parameters, e.g. `/v1/tasks/:id`. GET also serves HEAD. */
  readonly path: string;
  /** Further paths of the same meaning (section 5 of the contract). */
  readonly aliases?: readonly string[];
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly auth: "none" | "user";
  /** What an API token must be allowed where otherwise none is taken. */
  readonly scope?: string;
  readonly body?: {
    readonly schema: TSchema;
    readonly types: readonly string[];
    /** No body at all is taken for `{}`; of those requests whose headers say so, where it is a function. */
    readonly isOptional?: boolean | ((headers: Headers) => boolean);
    /** 256 KiB unless told. */
    readonly bytesMax?: number;
  };
  /** Query parameters by name; one not listed is refused. */
  readonly query?: Readonly<Record<string, { schema: TSchema; repeatable?: boolean }>>;
  /** Refuses with what it throws before the body is read: whoever may not know of a space hears nothing about their request. */
  readonly before?: (call: Call) => void | Promise<void>;
  /** Throws `malformed-header` for those headers that only this route understands, before its fields are looked at. */
  readonly checkHeaders?: (headers: Headers) => void;
  /** Faults that the schemas cannot tell, listed beside theirs: the body is an object, but what is in it may be of any type. */
  readonly faults?: (call: Call) => readonly Fault[] | Promise<readonly Fault[]>;
  /** What the problem of these faults says besides. */
  readonly toldWith?: (faults: readonly Fault[]) => Readonly<Record<string, unknown>>;
  /** Request headers for the OpenAPI document, e.g. If-Match. */
  readonly headers?: readonly RequestHeader[];
  /** `type` is the media type of what `schema` describes; `application/json` unless told. */
  readonly answers: Readonly<
    Record<number, { description: string; schema?: TSchema; type?: string; headers?: readonly AnswerHeader[] }>
  >;
  readonly problems: readonly ProblemCode[];
  /** `Cache-Control` of its answers; `no-store` unless told. */
  readonly cacheControl?: string;
  /** Its own path is one of the compatibility aliases: it is published with them. */
  readonly isAlias?: true;
  /** For people who type an address: no part of the published contract. */
  readonly isUnlisted?: true;
  /** A path that is known and takes no method: every one is 405, and `handle` is never called. */
  readonly takesNone?: true;
  readonly handle: (call: Call) => Answer | Promise<Answer>;
};
