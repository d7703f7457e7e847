/** The end of a user's tasks, as a command of the log: one for each partition, because a writer decides on the tasks of its partitions only. */
import { v5 as uuidv5 } from "uuid";
import { partitionOf } from "../../runtime/partition.ts";
import type { Command } from "./command.ts";

/** The same for the same user and partition, so that sending it again changes nothing. What stands for a task's id only leads to the partition. */
export function erasure(
  userId: string,
  { partition, partitions }: { partition: number; partitions: number },
  at: string,
): Command {
  let taskId = uuidv5("erase 0", userId);
  for (let tried = 1; partitionOf(taskId, partitions) !== partition; tried++) taskId = uuidv5(`erase ${tried}`, userId);
  return { operationId: taskId, keyed: true, taskId, userId, kind: "erase", fingerprint: "", body: {}, at };
}
