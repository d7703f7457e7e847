/** The fields of a task beside its text: status, priority, people, due, labels, estimate. */
import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { Due } from "../../actors/resources/due.ts";
import { priorities } from "../../actors/resources/task.ts";
import { labelsOf, placeOf, projectsOf } from "../store/boards.ts";
import { projectOf, type Task, taskOf } from "../store/fields.ts";
import { membersOf, nameOfUser } from "../store/people.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { setField } from "../store/tasks.ts";
import { dueText, nameOf, t } from "../text/language.ts";
import { Avatar, Icon, Label, Menu } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";

type Props = { readonly task: Task; readonly store: SpaceStore };

export function Facets({ task, store }: Props): JSX.Element {
  const isFixed = !canChangeIn(store);
  return (
    <fieldset class="facets" disabled={isFixed}>
      <legend class="unseen">{t("edit")}</legend>
      <StatusFacet task={task} store={store} />
      <Facet name={t("priority")}>
        {(id) => (
          <select
            id={id}
            class={`select priority-${taskOf(task).priority}`}
            value={taskOf(task).priority}
            onChange={(event) => setField(task, "priority", { priority: event.currentTarget.value })}
          >
            {priorities.map((each) => (
              <option key={each} value={each}>
                {nameOf(each)}
              </option>
            ))}
          </select>
        )}
      </Facet>
      <ProjectFacet task={task} store={store} />
      <Assignees task={task} store={store} />
      <DueFacet key={task.id} task={task} />
      <Labels key={`labels ${task.id}`} task={task} store={store} />
      <Facet name={t("estimate")}>
        {(id) => (
          <input
            id={id}
            class="select"
            type="number"
            min={0}
            max={100_000}
            inputMode="numeric"
            placeholder="–"
            value={taskOf(task).estimateMinutes ?? ""}
            onChange={(event) => {
              const { value, validity } = event.currentTarget;
              if (validity.valid)
                setField(task, "estimate", { estimateMinutes: value === "" ? null : Math.round(Number(value)) });
            }}
          />
        )}
      </Facet>
    </fieldset>
  );
}

function Facet({ name, children }: { name: string; children: (id: string) => JSX.Element }): JSX.Element {
  const id = useId();
  return (
    <>
      <label class="facet-name" htmlFor={id}>
        {name}
      </label>
      <div class="facet-value">{children(id)}</div>
    </>
  );
}

/** The columns of the project, or where it has none for it, the statuses. */
function StatusFacet({ task, store }: Props): JSX.Element {
  const { board, column } = placeOf(store, task);
  const { projectId, status } = taskOf(task);
  const columns = board.filter(({ id }) => id !== "");
  const isOutside = column < 0 || board[column]?.id === "";
  return (
    <Facet name={t("status")}>
      {(id) => (
        <select
          id={id}
          class="select"
          value={isOutside ? status : (board[column]?.id ?? "")}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            const isColumn = projectId !== null && columns.some((each) => each.id === chosen);
            setField(task, "status", isColumn ? { columnId: chosen } : { status: chosen });
          }}
        >
          {columns.map((each) => (
            <option key={each.id} value={each.id}>
              {each.name}
            </option>
          ))}
          <option value="cancelled">{t("cancelled")}</option>
        </select>
      )}
    </Facet>
  );
}

function ProjectFacet({ task, store }: Props): JSX.Element {
  const { projectId } = taskOf(task);
  return (
    <Facet name={t("project")}>
      {(id) => (
        <select
          id={id}
          class="select"
          value={projectId ?? ""}
          onChange={(event) =>
            setField(task, "project", {
              projectId: event.currentTarget.value === "" ? null : event.currentTarget.value,
            })
          }
        >
          <option value="">{t("noProject")}</option>
          {projectsOf(store)
            .filter((project) => !projectOf(project).archived || project.id === projectId)
            .map((project) => (
              <option key={project.id} value={project.id}>
                {projectOf(project).name}
              </option>
            ))}
        </select>
      )}
    </Facet>
  );
}

function Assignees({ task, store }: Props): JSX.Element {
  const { assigneeIds } = taskOf(task);
  const items = membersOf(store).map(({ id, name }) => {
    const isChosen = assigneeIds.includes(id);
    return {
      name,
      isChosen,
      act: () => setField(task, "assignees", { assigneeIds: isChosen ? { remove: [id] } : { add: [id] } }),
    };
  });
  return (
    <>
      <span class="facet-name">{t("assignees")}</span>
      <div class="facet-value people">
        <Menu name={t("assignees")} kind="facet-button" items={items}>
          {assigneeIds.length === 0 ? (
            <span class="muted">{t("unassigned")}</span>
          ) : (
            assigneeIds.map((id) => (
              <span class="person" key={id}>
                <Avatar id={id} />
                {nameOfUser(id)}
              </span>
            ))
          )}
        </Menu>
      </div>
    </>
  );
}

function DueFacet({ task }: { task: Task }): JSX.Element {
  const { due } = taskOf(task);
  const keep = (date: string, time: string) => {
    if (date === "") return setField(task, "due", { due: null });
    const timeZone = due?.timeZone ?? zoneHere();
    const next: Due = time === "" ? { date } : { date, time, timeZone };
    // A merge patch reaches into it: what is not to stay is named.
    setField(task, "due", { due: { date: next.date, time: next.time ?? null, timeZone: next.timeZone ?? null } });
  };
  return (
    <Facet name={t("due")}>
      {(id) => (
        <span class="due-fields">
          <input
            id={id}
            class="select"
            type="date"
            value={due?.date ?? ""}
            onChange={(event) => keep(event.currentTarget.value, due?.time ?? "")}
          />
          {due === null ? null : (
            <>
              <input
                class="select"
                type="time"
                aria-label={t("dueTime")}
                value={due.time?.slice(0, 5) ?? ""}
                onChange={(event) => keep(due.date, event.currentTarget.value)}
              />
              <button type="button" class="icon-button" aria-label={t("clear")} onClick={() => keep("", "")}>
                <Icon name="close" />
              </button>
              {due.time === undefined || due.timeZone === undefined || due.timeZone === zoneHere() ? null : (
                <span class="due-zone muted small">{t("dueZone", { zone: due.timeZone, here: dueText(due) })}</span>
              )}
            </>
          )}
        </span>
      )}
    </Facet>
  );
}

function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function Labels({ task, store }: Props): JSX.Element {
  const [text, setText] = useState("");
  const { labels } = taskOf(task);
  const list = useId();
  const add = () => {
    const label = text.trim().normalize("NFC").slice(0, 50);
    setText("");
    if (label !== "" && !labels.includes(label)) setField(task, "labels", { labels: { add: [label] } });
  };
  return (
    <Facet name={t("labels")}>
      {(id) => (
        <span class="label-editor">
          {labels.map((label) => (
            <span class="label-edit" key={label}>
              <Label text={label} />
              <button
                type="button"
                class="label-remove"
                aria-label={t("removeLabel", { label })}
                onClick={() => setField(task, "labels", { labels: { remove: [label] } })}
              >
                <Icon name="close" />
              </button>
            </span>
          ))}
          <input
            id={id}
            class="label-input"
            placeholder={t("addLabel")}
            list={list}
            value={text}
            maxLength={50}
            onInput={(event) => setText(event.currentTarget.value)}
            onBlur={add}
            onKeyDown={(event) => {
              if (event.key !== "Enter" && event.key !== ",") return;
              event.preventDefault();
              add();
            }}
          />
          <datalist id={list}>
            {labelsOf(store)
              .filter((each) => !labels.includes(each))
              .map((each) => (
                <option key={each} value={each} />
              ))}
          </datalist>
        </span>
      )}
    </Facet>
  );
}
