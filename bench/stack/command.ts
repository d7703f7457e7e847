/** The command that the edge makes of a create, for the log and for the references that carry as much. */

import { v7 } from "uuid";
import { commandRecordOf } from "../../actors/kafka/command-record.ts";
import type { Command } from "../../actors/resources/command.ts";
import { newTask } from "../http/tracker.ts";
import type { RawRecord } from "./batches.ts";
import { partitions } from "./servers.ts";

export function createCommand(each: number, userId: string): Command {
  const id = v7();
  return {
    kind: "change",
    operationId: id,
    keyed: false,
    spaceId: userId,
    userId,
    fingerprint: "",
    at: new Date().toISOString(),
    intents: [{ type: "task", kind: "create", id, body: newTask(each) as Record<string, never> }],
  };
}

/** It as a record for kafkajs. */
export function createRecord(each: number, userId: string): RawRecord {
  const command = createCommand(each, userId);
  return { ...commandRecordOf(command, partitions), key: command.operationId };
}
