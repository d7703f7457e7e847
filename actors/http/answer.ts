/** Answers with the headers that every one of them has (section 1 of the contract). */
import { type Problem, problems } from "../model/problem.ts";
import type { Answer } from "./route.ts";

const contentPolicy = "default-src 'none'; frame-ancestors 'none'";

export type AnswerContext = {
  requestId: string;
  /** The request came over TLS (as the proxy in front says). */
  secure: boolean;
  limits?: Readonly<Record<string, string>> | undefined;
  cacheControl?: string | undefined;
};

const requestIdPattern = /^[\x21-\x7e]{1,128}$/;

/** `known`: the request's id, where it has been chosen already. */
export function contextOf({ headers }: Request, known?: string): AnswerContext {
  const given = known ?? headers.get("x-request-id");
  return {
    requestId: given !== null && requestIdPattern.test(given) ? given : crypto.randomUUID(),
    secure: /^https(?:,|$)/.test(headers.get("x-forwarded-proto") ?? ""),
  };
}

/** What is the same in many answers, made once: setting a few more on a copy costs less than all of them anew. */
const bases = new Map<string, Headers>();

function baseOf(cacheControl: string, isJson: boolean, isSecure: boolean): Headers {
  const key = `${isJson}${isSecure}${cacheControl}`;
  let base = bases.get(key);
  if (base === undefined) {
    base = new Headers({
      "x-content-type-options": "nosniff",
      "cache-control": cacheControl,
      "content-security-policy": contentPolicy,
      "referrer-policy": "no-referrer",
    });
    if (isJson) base.set("content-type", "application/json");
    if (isSecure) base.set("strict-transport-security", "max-age=31536000; includeSubDomains");
    bases.set(key, base);
  }
  return base;
}

export function toResponse(
  answer: Answer,
  { cacheControl = "no-store", secure, requestId, limits }: AnswerContext,
): Response {
  const response = new Response(answer.json ?? null, {
    status: answer.status,
    headers: baseOf(cacheControl, answer.json !== undefined, secure),
  });
  const { headers } = response;
  headers.set("x-request-id", requestId);
  for (const name in limits) headers.set(name, limits[name] as string);
  for (const name in answer.headers) headers.set(name, answer.headers[name] as string);
  return response;
}

/** RFC 9457; `instance` is the request's path. */
export function problemAnswer(problem: Problem, requestId: string, instance: string): Answer {
  const { status, title } = problems[problem.code];
  const headers: Record<string, string> = { "content-type": "application/problem+json" };
  if (status === 401)
    headers["www-authenticate"] = problem.code === "unauthenticated" ? 'Bearer error="invalid_token"' : "Bearer";
  if (status === 503 || status === 429) headers["retry-after"] = "1";
  const body = {
    type: `/problems/${problem.code}`,
    title,
    status,
    detail: problem.message,
    instance,
    code: problem.code,
    requestId,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  };
  return { status, json: JSON.stringify(body), headers: { ...headers, ...problem.headers } };
}
