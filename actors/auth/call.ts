/** What auth's route files share: their forms of body, answer and caller. */
import type { TSchema } from "@sinclair/typebox";
import type { Answer, Call, Route } from "../http/route.ts";
import { toInstant } from "../model/instant.ts";
import { Problem } from "../model/problem.ts";
import type { UserRecord } from "./ports.ts";
import type { Signed } from "./service.ts";

export const tag = "Auth";
export const done: Answer = { status: 204 };
const json = ["application/json"];

export function takes(schema: TSchema, types: readonly string[] = json): NonNullable<Route["body"]> {
  return { schema, types };
}

export function answer(status: number, value: unknown): Answer {
  return { status, json: JSON.stringify(value) };
}

/** The body, which the edge has checked against the route's model of this type. */
export function body<T>(call: Call): T {
  return call.body as T;
}

/** The session behind the call, which the edge has made sure of. */
export function signed({ caller }: Call): Signed {
  if (caller?.sessionId === undefined) throw new Problem("unauthenticated");
  return { userId: caller.userId, sessionId: caller.sessionId };
}

/** A path's short names: bare, and under `/auth`. */
export function short(...names: string[]): string[] {
  return names.flatMap((name) => [name, `/auth${name}`]);
}

export function user({ id, email, name, createdMs }: UserRecord) {
  return { id, email, name, createdAt: toInstant(createdMs) };
}
