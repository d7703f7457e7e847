/** Answers with the headers that every one of them has (section 1 of the contract). */
import { type Problem, type ProblemCode, problems } from "../model/problem.ts";
import type { Answer } from "./route.ts";
import { hstsOf, pathPrefix, type Site } from "./site.ts";
import { cameByTls } from "./tls.ts";

const contentPolicy = "default-src 'none'; frame-ancestors 'none'";

export type AnswerContext = {
  requestId: string;
  /** `Strict-Transport-Security`, where the request came by TLS: as a trusted proxy in front says, or as the public URL does. */
  hsts: string | undefined;
  limits?: Readonly<Record<string, string>> | undefined;
  cacheControl?: string | undefined;
};

const requestIdPattern = /^[\x21-\x7e]{1,128}$/;

/** `known`: the request's id, where it has been chosen already. */
export function contextOf(request: Request, site: Site, known?: string): AnswerContext {
  const given = known ?? request.headers.get("x-request-id");
  return {
    requestId: given !== null && requestIdPattern.test(given) ? given : crypto.randomUUID(),
    hsts: hstsOf(site, cameByTls(request)),
  };
}

/** What is the same in many answers, made once: setting a few more on a copy costs less than all of them anew. */
const bases = { json: new Map<string, Headers>(), other: new Map<string, Headers>() };

function baseOf(cacheControl: string, isJson: boolean, hsts: string | undefined): Headers {
  const known = isJson ? bases.json : bases.other;
  const key = hsts === undefined ? cacheControl : `${cacheControl} ${hsts}`;
  let base = known.get(key);
  if (base === undefined) {
    base = new Headers({
      "x-content-type-options": "nosniff",
      "cache-control": cacheControl,
      "content-security-policy": contentPolicy,
      "referrer-policy": "no-referrer",
    });
    if (isJson) base.set("content-type", "application/json");
    if (hsts !== undefined) base.set("strict-transport-security", hsts);
    known.set(key, base);
  }
  return base;
}

/** Texts from this length on are counted while their clients have not taken them. */
const largeChars = 65_536;
/** From this length on an answer may not fit into what a server sends at once. */
const longChars = 5_000;
/** On the response itself: a map beside it costs more than the response. */
const longText = Symbol("long text");
type Answered = Response & { [longText]?: string };

/** Bytes of a large answer, 0 of any other. */
export function largeBytesOf(response: Answered): number {
  const text = response[longText] ?? "";
  return text.length < largeChars ? 0 : Buffer.byteLength(text);
}

/** The text of a long answer, undefined of any other. */
export function longTextOf(response: Answered): string | undefined {
  return response[longText];
}

export function toResponse(
  answer: Answer,
  { cacheControl = "no-store", hsts, requestId, limits }: AnswerContext,
): Response {
  const response: Answered = new Response(answer.json ?? answer.stream ?? answer.bytes ?? null, {
    status: answer.status,
    headers: baseOf(cacheControl, answer.json !== undefined, hsts),
  });
  if (answer.json !== undefined && answer.json.length >= longChars) response[longText] = answer.json;
  const { headers } = response;
  headers.set("x-request-id", requestId);
  for (const name in limits) headers.set(name, limits[name] as string);
  for (const name in answer.headers) headers.set(name, answer.headers[name] as string);
  return response;
}

/** Where a problem's code is explained: its `type`. */
export function problemType(code: ProblemCode, site: Pick<Site, "url">): string {
  return `${site.url}/problems/${code}`;
}

/** RFC 9457; `path` is the request's, below the root. */
export function problemAnswer(problem: Problem, of: { requestId: string; path: string; site: Site }): Answer {
  const { requestId, path, site } = of;
  const { status, title } = problems[problem.code];
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (status === 401)
    headers["www-authenticate"] = problem.code === "unauthenticated" ? 'Bearer error="invalid_token"' : "Bearer";
  if (status === 503 || status === 429) headers["retry-after"] = "1";
  const body = {
    type: problemType(problem.code, site),
    title,
    status,
    detail: problem.message,
    instance: pathPrefix(site) + path,
    code: problem.code,
    requestId,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
    ...problem.more,
  };
  return { status, json: JSON.stringify(body), headers: { ...headers, ...problem.headers } };
}
