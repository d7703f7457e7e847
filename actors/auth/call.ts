/** What auth's route files share: their forms of body, answer and caller. */
import type { TSchema } from "@sinclair/typebox";
import type { Answer, Call, Route } from "../http/route.ts";
import { Problem } from "../model/problem.ts";
import type { Signed } from "./service.ts";

export const tag = "Auth";
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
