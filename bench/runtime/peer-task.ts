import type { Task } from "./protocol.ts";

/** What the peers run for each message: piscina as a task, comlink as a proxied function. */
export default function echo(task: Task): Task {
  return task;
}
