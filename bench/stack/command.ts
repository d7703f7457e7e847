/** The command that the edge makes of a create, for the log and for the references that carry as much. */

import { v7 } from "uuid";
import { commandRecord } from "../../actors/kafka/log-record.ts";
import type { Command } from "../../actors/model/command.ts";
import { defaults } from "../../actors/model/created.ts";
import type { Writable } from "../../actors/model/task.ts";
import { newTask } from "../http/tracker.ts";
import type { RawRecord } from "./batches.ts";
import { partitions } from "./servers.ts";

export function createCommand(each: number, userId: string): Command {
  const id = v7();
  return {
    operationId: id,
    keyed: false,
    taskId: id,
    userId,
    kind: "create",
    fingerprint: "",
    body: { ...defaults, ...(newTask(each) as Partial<Writable>) },
    at: new Date().toISOString(),
  };
}

/** It as a record for kafkajs. */
export function createRecord(each: number, userId: string): RawRecord {
  const command = createCommand(each, userId);
  return { ...commandRecord(command, partitions), key: command.taskId };
}
