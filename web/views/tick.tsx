/** The round button that marks a task as done, or not done. */
import type { JSX } from "preact";
import { type Task, taskOf } from "../store/fields.ts";
import { toggleDone } from "../store/tasks.ts";
import { t } from "../text/language.ts";
import { Icon } from "./parts.tsx";

/** `isTabStop`: reached by the tab key; in long lists a key of its own does the same. */
export function Tick({
  task,
  canChange,
  isTabStop = false,
}: {
  task: Task;
  canChange: boolean;
  isTabStop?: boolean;
}): JSX.Element {
  const { title, status } = taskOf(task);
  const isDone = status === "done";
  return (
    <button
      type="button"
      class={isDone ? "tick ticked" : "tick"}
      aria-label={t(isDone ? "reopenTask" : "completeTask", { about: title })}
      aria-pressed={isDone}
      {...(isTabStop ? {} : { tabIndex: -1 })}
      disabled={!canChange}
      onClick={(event) => {
        // A pointer needs no focus here, and to take a focused element out of the page makes the browser lay it out in the middle of the change.
        if (event.detail > 0) event.currentTarget.blur();
        toggleDone(task);
      }}
    >
      <Icon name="check" />
    </button>
  );
}
