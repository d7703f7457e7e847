/** How a task begins, and the one way in which a task is written as text. */
import type { Command } from "./command.ts";
import type { Task, Writable } from "./task.ts";

/** What a field is that nobody sets, and what `null` in a patch sets it to; a title has none. */
export const defaults: Omit<Writable, "title"> = {
  description: "",
  status: "todo",
  priority: "none",
  labels: [],
  dueAt: null,
};

/** The task that a create command makes. Pure: the edge answers a create without a key by it, before the writer has decided the same. */
export function created(command: Pick<Command, "taskId" | "userId" | "body" | "at">): Task {
  const values = { title: "", ...defaults, ...command.body };
  return {
    id: command.taskId,
    title: values.title,
    description: values.description,
    status: values.status,
    priority: values.priority,
    labels: values.labels,
    dueAt: values.dueAt,
    completedAt: values.status === "done" ? command.at : null,
    ownerId: command.userId,
    version: 1,
    createdAt: command.at,
    updatedAt: command.at,
  };
}

/** A task as it is stored, cached and served: always these keys in this order, so that equal tasks are equal texts. */
export function taskText(task: Task): string {
  return JSON.stringify({
    id: task.id,
    title: task.title,
    description: task.description,
    status: task.status,
    priority: task.priority,
    labels: task.labels,
    dueAt: task.dueAt,
    completedAt: task.completedAt,
    ownerId: task.ownerId,
    version: task.version,
    createdAt: task.createdAt,
    updatedAt: task.updatedAt,
  });
}
