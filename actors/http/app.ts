/** Makes a role's Elysia app from its routes: every convention of the contract's section 1 is kept here, once, in the order in which they refuse. */
import type { TSchema } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { type Fault, Problem } from "../model/problem.ts";
import { isTraceparent } from "../tracing/traceparent.ts";
import type { Tracer } from "../tracing/tracer.ts";
import type { Admission } from "./admission.ts";
import { type AnswerContext, contextOf, largeBytesOf, problemAnswer, toResponse } from "./answer.ts";
import { readBody } from "./body.ts";
import { commonRoutes } from "./common-routes.ts";
import { requestHeaderForms } from "./header-names.ts";
import { meter, meterOfUnknown } from "./meter.ts";
import { openToOrigins } from "./origins.ts";
import type { Peer } from "./peer.ts";
import type { Call, Caller, Route } from "./route.ts";
import { belowPrefix, pathPrefix, rootSite, type Site } from "./site.ts";
import { pathOf } from "./target.ts";
import { tlsObserver } from "./tls.ts";
import { type Serve, traced } from "./traced.ts";
import { parseUrlencoded, pointer } from "./urlencoded.ts";
import { checker, uuidPattern } from "./validate.ts";
import { isWhole } from "./whole.ts";

export type EdgeOptions = {
  /** Who the `Authorization` header stands for; throws `unauthenticated`, `forbidden` or `rate-limited`. */
  authenticate: (authorization: string | null, route: Route) => Caller | Promise<Caller>;
  /** An unexpected failure, for the log; the client gets `internal` and the request id. */
  onFailure: (failure: unknown, requestId: string) => void;
  /** Where and to whom this app is open; at the root, to no other page, unless given. */
  site?: Site;
  /** Takes requests for paths that are none of ours (the other role's), before they are 404. */
  elsewhere?: (request: Request, path: string, peer: Peer | undefined) => Promise<Response> | undefined;
  /** Bounds all work of the routes and of `elsewhere`, fairly between users and addresses; without it each request is worked on at once. */
  admission?: Admission;
  /** Who an anonymous request counts as; the other end of its connection unless given. */
  addressOf?: (request: Request, peer: Peer | undefined) => string;
  /** Makes a span of each request of a route; without it there are none. */
  tracer?: Tracer | undefined;
};

export type Edge = { fetch(request: Request, peer?: Peer): Response | Promise<Response> };

const idempotencyKeyPattern = new RegExp(requestHeaderForms["Idempotency-Key"]);
export function edge(own: readonly Route[], options: EdgeOptions): Edge {
  const { site = rootSite } = options;
  const prefix = pathPrefix(site);
  const observeTls = tlsObserver(site);
  const routes = [...own, ...commonRoutes];
  const known = new KnownPaths(routes);
  const unknownMeter = meterOfUnknown();
  // Elysia hands on the request alone, and hands it on at once: what came with it waits here meanwhile. Of any other request nothing is known.
  let arriving: { request: Request; peer: Peer } | undefined;
  const peerOf = (request: Request) => (arriving?.request === request ? arriving.peer : undefined);
  // Elysia is the router and the server; bodies and queries are checked by us (docs/decisions.md says why).
  // The path of a URL is looked for from its beginning: a host may be short.
  const app = new Elysia({ normalize: false, handler: { standardHostname: false } }).onError(
    ({ request, error, code }) => (code === "NOT_FOUND" ? unknown(request) : refuse(request, error)),
  );

  function refuse(request: Request, failure: unknown, limits?: Caller["limits"], given?: string): Response {
    const context = contextOf(request, site, given);
    context.limits = limits;
    let problem = failure;
    if (!(problem instanceof Problem)) {
      options.onFailure(failure, context.requestId);
      problem = new Problem("internal");
    }
    const of = { requestId: context.requestId, path: pathOf(request.url), site };
    return toResponse(problemAnswer(problem as Problem, of), context);
  }

  function unknown(request: Request): Response | Promise<Response> {
    const path = pathOf(request.url);
    const peer = peerOf(request);
    const measured = unknownMeter(request.method);
    const refused = (failure: unknown) => measured(() => refuse(request, failure));
    const none = () => {
      const allow = known.methods(path);
      return allow === undefined
        ? new Problem("not-found")
        : new Problem("method-not-allowed", undefined, { headers: { allow } });
    };
    try {
      // What the other role has answered, it has counted.
      const run = () => options.elsewhere?.(request, path, peer)?.catch(refused) ?? refused(none());
      return settle(admit(options, { request, peer }, undefined, run), refused);
    } catch (failure) {
      return refused(failure);
    }
  }

  for (const route of routes.filter(({ takesNone }) => takesNone !== true)) {
    const serve = traced(serving(route, { ...options, site }, refuse), route, options.tracer);
    const [measured, measuredHead] = [meter(route.method, route.path), meter("HEAD", route.path)];
    // Elysia may give a HEAD to the GET of the same path.
    const handler = ({ request, params }: { request: Request; params?: Record<string, string> }) =>
      (request.method === "HEAD" ? measuredHead : measured)(() => serve(request, params ?? noParams, peerOf(request)));
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      app.route(route.method, path, handler, { parse: "none" });
      if (route.method === "GET") app.route("HEAD", path, handler, { parse: "none" });
    }
  }
  app.all("/*", ({ request }) => unknown(request), { parse: "none" });
  app.compile();
  return {
    fetch: openToOrigins(site, (received, peer) => {
      const request = belowPrefix(prefix, received);
      observeTls(request, peer);
      arriving = peer === undefined ? undefined : { request, peer };
      const response = app.fetch(request);
      arriving = undefined;
      return request.method === "HEAD" ? Promise.resolve(response).then(lengthless) : response;
    }),
  };
}

/** Elysia tells a HEAD how long the body was: of a 304 that is nothing, and not what a 200 would have (RFC 9110 §8.6). */
function lengthless(response: Response): Response {
  if (response.status === 304) response.headers.delete("content-length");
  return response;
}

type Refuse = (request: Request, failure: unknown, limits?: Caller["limits"], requestId?: string) => Response;

/** The way of one request through its route's conventions; synchronous wherever nothing needs waiting for. */
function serving(route: Route, options: EdgeOptions & { site: Site }, refuse: Refuse): Serve {
  const checkBody = route.body === undefined ? undefined : checker(route.body.schema);
  const readQuery = queryReader(route);
  const needsKey = route.method !== "GET";

  function handle(
    request: Request,
    params: Record<string, string>,
    context: AnswerContext,
    caller: Caller | undefined,
    peer: Peer | undefined,
    traceparent: string | null,
  ): Response | Promise<Response> {
    context.limits = caller?.limits;
    const { query, faults } = readQuery(request.url);
    const call: Call = {
      request,
      requestId: context.requestId,
      traceparent: traceparent !== null && isTraceparent(traceparent) ? traceparent : undefined,
      params,
      query,
      body: undefined,
      caller,
      peer,
    };
    const entered = route.before?.(call);
    return entered instanceof Promise ? entered.then(() => go(call, faults, context)) : go(call, faults, context);
  }

  function go(call: Call, faults: readonly Fault[], context: AnswerContext): Response | Promise<Response> {
    const { request } = call;
    if (route.body === undefined || checkBody === undefined) {
      checkHeaders(request.headers);
      if (route.method === "GET") return answered(call, faults, context);
      return isWhole(request).then((whole) => {
        // Nobody reads this: the server has closed the connection.
        if (!whole) throw new Problem("malformed-header", "What follows the request is not a request of its own.");
        return answered(call, faults, context);
      });
    }
    const { isOptional } = route.body;
    const given = {
      isOptional: typeof isOptional === "function" ? isOptional(request.headers) : isOptional,
      bytesMax: route.body.bytesMax,
      ready: options.admission?.resume,
    };
    return readBody(request, route.body.types, given).then((body) => {
      checkHeaders(request.headers);
      return answered({ ...call, body }, [...faults, ...bodyFaults(body, checkBody)], context);
    });
  }

  function checkHeaders(headers: Headers): void {
    const key = needsKey ? headers.get("idempotency-key") : null;
    if (key !== null && !idempotencyKeyPattern.test(key))
      throw new Problem("malformed-header", "Idempotency-Key must be 1 to 255 visible ASCII characters.");
    route.checkHeaders?.(headers);
  }

  /** What the route answers, once all faults of the request are known and there are none. */
  function answered(call: Call, faults: readonly Fault[], context: AnswerContext): Response | Promise<Response> {
    const unless = (more: readonly Fault[]) => {
      if (faults.length + more.length > 0) {
        const errors = [...faults, ...more];
        throw new Problem("validation", undefined, { errors, more: route.toldWith?.(errors) ?? {} });
      }
      const { id } = call.params;
      if (id !== undefined && !uuidPattern.test(id)) throw new Problem("not-found");
      return finish(route.handle(call), context);
    };
    const hasFields = call.body === undefined || isObject(call.body);
    const more = route.faults !== undefined && hasFields ? route.faults(call) : noFaults;
    return more instanceof Promise ? more.then(unless) : unless(more);
  }

  return (request, params, peer, trace) => {
    const context = contextOf(request, options.site);
    const traceparent = trace ?? request.headers.get("traceparent");
    context.cacheControl = route.cacheControl;
    const failed = (failure: unknown) => refuse(request, failure, context.limits, context.requestId);
    try {
      const admitted = (known: Caller | undefined) => {
        context.limits = known?.limits;
        const run = () => handle(request, params, context, known, peer, traceparent);
        return admit(options, { request, peer }, known, run);
      };
      if (route.auth === "none") return settle(admitted(undefined), failed);
      const caller = options.authenticate(request.headers.get("authorization"), route);
      return caller instanceof Promise ? caller.then(admitted).catch(failed) : settle(admitted(caller), failed);
    } catch (failure) {
      return failed(failure);
    }
  };
}

type Arrived = { readonly request: Request; readonly peer: Peer | undefined };

/** A user has one queue wherever they ask from, an anonymous address another. */
function admit(
  { admission, addressOf }: EdgeOptions,
  { request, peer }: Arrived,
  caller: Caller | undefined,
  run: () => Response | Promise<Response>,
): Response | Promise<Response> {
  if (admission === undefined) return run();
  const address = () => addressOf?.(request, peer) ?? peer?.remoteAddress ?? "";
  return admission.admit({
    run,
    key: () => (caller === undefined ? `address ${address()}` : `user ${caller.userId}`),
    isShared: caller === undefined,
    isGone: () => peer?.isGone === true,
    // Whether somebody is gone is asked of large answers alone: it costs a look into the socket.
    bytesOf: (response) => {
      const bytes = largeBytesOf(response);
      return bytes > 0 && peer?.isGone !== undefined ? bytes : 0;
    },
  });
}

function settle(
  response: Response | Promise<Response>,
  failed: (failure: unknown) => Response | Promise<Response>,
): Response | Promise<Response> {
  return response instanceof Promise ? response.catch(failed) : response;
}

function finish(answer: ReturnType<Route["handle"]>, context: AnswerContext): Response | Promise<Response> {
  if (answer instanceof Promise) return answer.then((ready) => toResponse(ready, context));
  return toResponse(answer, context);
}

function bodyFaults(body: unknown, check: (value: unknown) => Fault[]): Fault[] {
  return isObject(body) ? check(body) : [{ path: "", message: "must be a JSON object" }];
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const noFaults: readonly Fault[] = [];
const noParams = {};
const noQuery: { query: URLSearchParams; faults: readonly Fault[] } = { query: new URLSearchParams(), faults: [] };

/** The parameters of a URL with every fault they have against the route's. */
function queryReader(route: Route): (url: string) => typeof noQuery {
  const checks = Object.entries(route.query ?? {}).map(([name, { schema, repeatable }]) => ({
    name,
    repeatable,
    check: parameterChecker(schema),
  }));
  const names = new Set(checks.map(({ name }) => name));
  return (url) => {
    const mark = url.indexOf("?");
    if (mark < 0) return noQuery;
    const { fields: query, faults } = parseUrlencoded(url.slice(mark + 1));
    for (const name of new Set(query.keys()))
      if (!names.has(name)) faults.push({ path: pointer(name), message: "is not a known parameter" });
    for (const { name, repeatable, check } of checks) {
      const values = query.getAll(name);
      const messages = values.length > 1 && repeatable !== true ? ["must be given once"] : values.flatMap(check);
      for (const message of new Set(messages)) faults.push({ path: pointer(name), message });
    }
    return { query, faults };
  };
}

/** The messages about a parameter's value. In a query a `+` is a space, which is how the offset of an instant is lost. */
function parameterChecker(schema: TSchema): (value: string) => string[] {
  const check = checker(schema);
  return (value) => {
    const messages = check(value).map(({ message }) => message);
    if (messages.length === 0 || check(value.replace(/ (?=\d\d:\d\d$)/, "+")).length > 0) return messages;
    return [`${messages[0]}: it has a space where a + was meant, which is written %2B in a URL`];
  };
}

/** `Allow` of a path that takes no method. Preflights are answered there; an empty list would be lost by clients that take it for none. */
const noMethods = "OPTIONS";
const methodsInOrder = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Which methods a path takes, for 405 and its `Allow`. */
class KnownPaths {
  readonly #paths: { pattern: RegExp; methods: Set<string> }[] = [];

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      for (const path of [route.path, ...(route.aliases ?? [])]) {
        const literal = path.replace(/\/$/, "").replaceAll(".", "\\.");
        const pattern = new RegExp(`^${literal.replace(/:[a-z]+/gi, "[^/]+")}/?$`);
        let entry = this.#paths.find((other) => other.pattern.source === pattern.source);
        if (entry === undefined) this.#paths.push((entry = { pattern, methods: new Set() }));
        if (route.takesNone === true) continue;
        entry.methods.add(route.method);
        if (route.method === "GET") entry.methods.add("HEAD");
      }
    }
  }

  methods(path: string): string | undefined {
    const entry = this.#paths.find(({ pattern }) => pattern.test(path));
    if (entry === undefined) return undefined;
    return methodsInOrder.filter((each) => entry.methods.has(each)).join(", ") || noMethods;
  }
}
