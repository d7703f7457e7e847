/** Commands as the edge would send them, for the tests of this folder. */
import { randomUUID } from "node:crypto";
import type { Command } from "../model/command.ts";

export const userA = "00000000-0000-4000-8000-00000000000a";
export const userB = "00000000-0000-4000-8000-00000000000b";

/** Each call is another operation of another task, unless told. */
export function command(given: Partial<Command> & Pick<Command, "kind">): Command {
  const operationId = given.operationId ?? randomUUID();
  return {
    operationId,
    keyed: false,
    taskId: randomUUID(),
    userId: userA,
    fingerprint: `of ${operationId}`,
    body: {},
    at: "2026-01-31T09:30:00.000Z",
    ...given,
  };
}
