/** A command as a record of the log: written by the edge, read by the writer, which trusts nothing in it. */
import { partitionOf } from "../../runtime/partition.ts";
import { checker } from "../http/validate.ts";
import { Command } from "../model/command.ts";
import type { NewRecord } from "./appender.ts";

export function commandRecord(command: Command, partitions: number): NewRecord {
  return { partition: partitionOf(command.taskId, partitions), key: command.taskId, value: JSON.stringify(command) };
}

const faultsOf = checker(Command);

/** The command of a record, or why it is none, in a few words without anything of its content but names of fields. */
export function readCommand(value: Buffer | null, at: { partition: number; partitions: number }): Command | string {
  const command = commandIn(value);
  if (typeof command !== "string" && partitionOf(command.taskId, at.partitions) !== at.partition)
    return "on another partition than its task's";
  return command;
}

/** `readCommand` wherever the record is. */
export function commandIn(value: Buffer | null): Command | string {
  if (value === null) return "empty";
  let command: unknown;
  try {
    command = JSON.parse(value.toString());
  } catch {
    return "not JSON";
  }
  const [fault] = faultsOf(command);
  if (fault !== undefined) return `${fault.path === "" ? "the whole" : fault.path} ${fault.message}`.slice(0, 200);
  return command as Command;
}
