/** "Move to…": every way of moving a task without a pointer, to another project too, as a list (WCAG 2.5.7). */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { BoardColumn } from "../store/board-columns.ts";
import { boardOf, placeOf, projectsOf } from "../store/boards.ts";
import { projectOf, type Task, taskOf } from "../store/fields.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { moveTask, moveToProject } from "../store/tasks.ts";
import { t } from "../text/language.ts";
import { moving } from "./column.tsx";
import { announce, Dialog, Field, Icon } from "./parts.tsx";

export function MoveDialog({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  const own = taskOf(task).projectId;
  const [projectId, setProject] = useState(own);
  const { board: ownBoard, column: at, place: ownPlace } = placeOf(store, task);
  const isOwn = projectId === own;
  const project = projectId === null ? undefined : store.get(projectId);
  const board = isOwn ? ownBoard : boardOf(store, project);
  const here = isOwn ? board[at] : undefined;
  const close = () => {
    moving.value = undefined;
  };
  const to = (column: BoardColumn | undefined, before: Task | undefined) => {
    close();
    if (column !== undefined)
      announce(isOwn ? moveTask(task, column, before) : moveToProject(task, { project, column }));
    focusCard(task.id);
  };
  return (
    <Dialog title={t("moveTo")} onClose={close} kind="compact">
      <p class="muted clamp">{taskOf(task).title}</p>
      <Field name={t("moveProject")}>
        <select
          class="select"
          value={projectId ?? ""}
          onChange={(event) => setProject(event.currentTarget.value === "" ? null : event.currentTarget.value)}
        >
          <option value="">{t("noProject")}</option>
          {projectsOf(store)
            .filter((each) => !projectOf(each).archived || each.id === own)
            .map((each) => (
              <option key={each.id} value={each.id}>
                {projectOf(each).name}
              </option>
            ))}
        </select>
      </Field>
      <div class="choices">
        {board
          .filter(({ id }) => id !== "")
          .map((column, place) => (
            <button
              type="button"
              key={column.id}
              class="choice"
              aria-current={column.id === here?.id}
              {...(place === 0 ? { "data-first": true } : {})}
              onClick={() => to(column, undefined)}
            >
              <span class={`status-dot ${column.status}`} aria-hidden="true" />
              <span class="clamp">{column.name}</span>
              {column.id === here?.id ? <Icon name="check" /> : null}
            </button>
          ))}
      </div>
      {here === undefined ? null : (
        <div class="row">
          <button type="button" class="button" disabled={ownPlace <= 0} onClick={() => to(here, here.tasks[0])}>
            {t("moveTop")}
          </button>
          <button
            type="button"
            class="button"
            disabled={ownPlace <= 0}
            onClick={() => to(here, here.tasks[ownPlace - 1])}
          >
            {t("moveUp")}
          </button>
          <button
            type="button"
            class="button"
            disabled={ownPlace >= here.tasks.length - 1}
            onClick={() => to(here, here.tasks[ownPlace + 2])}
          >
            {t("moveDown")}
          </button>
        </div>
      )}
    </Dialog>
  );
}

export function focusCard(taskId: string): void {
  requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-card="${taskId}"]`)?.focus());
}
