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

export function toResponse(answer: Answer, context: AnswerContext): Response {
  const headers: Record<string, string> = {
    "x-request-id": context.requestId,
    "x-content-type-options": "nosniff",
    "cache-control": context.cacheControl ?? "no-store",
    "content-security-policy": contentPolicy,
    "referrer-policy": "no-referrer",
  };
  if (answer.json !== undefined) headers["content-type"] = "application/json";
  if (context.secure) headers["strict-transport-security"] = "max-age=31536000; includeSubDomains";
  if (context.limits !== undefined) Object.assign(headers, context.limits);
  if (answer.headers !== undefined) Object.assign(headers, answer.headers);
  return new Response(answer.json ?? null, { status: answer.status, headers });
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
