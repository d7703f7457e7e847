/** The tasks of a space as a list: what is shown, its order and its groups are in the address. */
import type { JSX } from "preact";
import type { Document } from "../../actors/resources/document.ts";
import { priorities } from "../../actors/resources/task.ts";
import { nameOfUser } from "../store/people.ts";
import { route, setQuery, show } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import {
  byRank,
  columnsOfBoard,
  isClosed,
  isHidden,
  projectOf,
  type Task,
  taskOf,
  toggleDone,
} from "../store/tasks.ts";
import { addDays, dayOf, dueDay, language, nameOf, t } from "../text/language.ts";
import { DueChip, Priority } from "./card.tsx";
import { Filters, matcher } from "./filters.tsx";
import { useGrowing } from "./growing.ts";
import { Avatar, Empty, Icon, Label } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";
import { Tick } from "./tick.tsx";

export function List({ store }: { store: SpaceStore }): JSX.Element {
  store.changed.value;
  const { query } = route.value;
  const matches = matcher(query);
  const tasks = store
    .all("task")
    .filter(
      (task) =>
        !isHidden(store, task) &&
        matches(task) &&
        (query.get("done") === "1" || query.has("status") || !isClosed(task)),
    );
  const sort = query.get("sort") ?? "-createdAt";
  const sorted = [...tasks].sort(sorter(sort));
  const groups = grouped(store, sorted, query.get("group") ?? "");
  return (
    <div class="list-view">
      <Filters store={store} hasList />
      {sorted.length === 0 ? (
        store.all("task").length === 0 ? (
          <Empty icon="list" title={t("emptyBoard")} hint={t("emptyBoardHint")} />
        ) : (
          <Empty icon="search" title={t("nothingFound")} hint={t("nothingFoundHint")} />
        )
      ) : (
        <div class="list" onKeyDown={(event) => onListKey(event, store)}>
          <div class="list-head" role="group" aria-label={t("sortBy")}>
            <span />
            <SortButton by="title" name={t("title")} sort={sort} />
            <SortButton by="priority" name={t("priority")} sort={sort} />
            <SortButton by="due" name={t("due")} sort={sort} />
            <SortButton by="updatedAt" name={t("updatedAt")} sort={sort} />
            <span />
          </div>
          {groups.map(({ name, tasks: inGroup }) => (
            <GroupOfRows key={name} name={name} tasks={inGroup} store={store} />
          ))}
        </div>
      )}
    </div>
  );
}

function GroupOfRows({ name, tasks, store }: Group & { store: SpaceStore }): JSX.Element {
  const count = useGrowing(tasks.length, { first: 40, step: 100 });
  return (
    <section aria-label={name === "" ? t("list") : name}>
      {name === "" ? null : (
        <h2 class="group-name">
          {name}
          <span class="count">{tasks.length}</span>
        </h2>
      )}
      <ul class="rows">
        {tasks.slice(0, count).map((task) => (
          <Row key={task.id} {...rowOf(store, task)} />
        ))}
      </ul>
    </section>
  );
}

function SortButton({ by, name, sort }: { by: string; name: string; sort: string }): JSX.Element {
  const isBy = sort.replace("-", "") === by;
  const isDown = sort.startsWith("-");
  const next = isBy && !isDown ? `-${by}` : by;
  return (
    <button
      type="button"
      class={isBy ? "sort active" : "sort"}
      aria-pressed={isBy}
      onClick={() => setQuery({ sort: next })}
    >
      {name}
      {isBy ? <span aria-hidden="true">{isDown ? " ↓" : " ↑"}</span> : null}
    </button>
  );
}

type RowProps = {
  readonly task: Task;
  readonly project: Document | undefined;
  readonly parent: Document | undefined;
  readonly canChange: boolean;
};

/** Also used by My day. */
export function rowOf(store: SpaceStore, task: Task): RowProps {
  const { projectId, parentId } = taskOf(task);
  const project = projectId === null ? undefined : store.get(projectId);
  const parent = parentId === null ? undefined : store.get(parentId);
  return { task, project, parent, canChange: canChangeIn(store) };
}

/** It reads a signal, and so is rendered again only when that or a property is another one. */
export function Row({ task, project, parent, canChange }: RowProps): JSX.Element {
  language.value;
  const { title, labels, due, priority, assigneeIds } = taskOf(task);
  return (
    <li class={isClosed(task) ? "task-row closed" : "task-row"}>
      <Tick task={task} canChange={canChange} />
      <button
        type="button"
        class="row-main"
        data-card={task.id}
        data-space={task.spaceId}
        onClick={() => show(task.spaceId, task.id)}
      >
        <span class="row-title">
          {title}
          {parent === undefined ? null : (
            <span class="row-parent">
              <Icon name="subtasks" />
              <span class="unseen">{t("parent")} </span>
              {taskOf(parent).title}
            </span>
          )}
        </span>
        {project !== undefined ? (
          <span class="row-project">
            <ProjectDot project={project} />
            {projectOf(project).name}
          </span>
        ) : null}
        <span class="labels">
          {labels.slice(0, 3).map((label) => (
            <Label key={label} text={label} />
          ))}
        </span>
        <Priority value={priority} />
        {due === null ? null : <DueChip due={due} isOver={isClosed(task)} />}
        <span class="avatars">
          {assigneeIds.slice(0, 3).map((id) => (
            <Avatar key={id} id={id} />
          ))}
        </span>
      </button>
    </li>
  );
}

export function ProjectDot({ project }: { project: Document }): JSX.Element {
  return (
    <span class="project-dot" aria-hidden="true" style={{ background: projectOf(project).color ?? "var(--text-3)" }} />
  );
}

const priorityOf = (task: Task) => priorities.indexOf(taskOf(task).priority as (typeof priorities)[number]);

function sorter(sort: string): (a: Task, b: Task) => number {
  const sign = sort.startsWith("-") ? -1 : 1;
  const by: Record<string, (a: Task, b: Task) => number> = {
    title: (a, b) => taskOf(a).title.localeCompare(taskOf(b).title, undefined, { numeric: true }),
    priority: (a, b) => priorityOf(b) - priorityOf(a),
    updatedAt: (a, b) => (a.updatedAt < b.updatedAt ? -1 : 1),
    createdAt: (a, b) => (a.createdAt < b.createdAt ? -1 : 1),
    rank: byRank,
    due: (a, b) => {
      const [one, other] = [taskOf(a).due, taskOf(b).due].map((due) =>
        due === null ? undefined : `${dueDay(due)} ${due.time ?? "24"}`,
      );
      // None comes last both ways.
      if (one === undefined || other === undefined) return one === other ? 0 : (one === undefined ? 1 : -1) * sign;
      return one < other ? -1 : one > other ? 1 : 0;
    },
  };
  const compare = by[sort.replace("-", "")] ?? byRank;
  return (a, b) => sign * compare(a, b) || (a.id < b.id ? -1 : 1);
}

type Group = { readonly name: string; readonly tasks: Task[] };

function grouped(store: SpaceStore, tasks: readonly Task[], by: string): Group[] {
  const key: Record<string, (task: Task) => string> = {
    column: (task) => columnName(store, task),
    assignee: (task) => taskOf(task).assigneeIds.map(nameOfUser).join(", ") || t("unassigned"),
    priority: (task) => nameOf(taskOf(task).priority),
    due: (task) => dueGroup(task),
    project: (task) => {
      const project = store.get(taskOf(task).projectId ?? "");
      return project === undefined ? t("noProject") : projectOf(project).name;
    },
  };
  const nameOfGroup = key[by];
  if (nameOfGroup === undefined) return [{ name: "", tasks: [...tasks] }];
  const groups = new Map<string, Task[]>();
  for (const task of tasks) {
    const name = nameOfGroup(task);
    const list = groups.get(name);
    if (list === undefined) groups.set(name, [task]);
    else list.push(task);
  }
  return [...groups].map(([name, inGroup]) => ({ name, tasks: inGroup }));
}

function columnName(store: SpaceStore, task: Task): string {
  const { projectId, columnId, status } = taskOf(task);
  const columns = columnsOfBoard(projectId === null ? undefined : store.get(projectId));
  return columns.find(({ id }) => id === (columnId ?? status))?.name ?? nameOf(status);
}

function dueGroup(task: Task): string {
  const { due } = taskOf(task);
  if (due === null) return t("noDue");
  const [day, today] = [dueDay(due), dayOf(new Date())];
  if (day < today) return t("overdue");
  if (day === today) return t("today");
  return day <= addDays(today, 7) ? t("nextDays") : t("more");
}

export function onListKey(event: KeyboardEvent, store: SpaceStore | undefined): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const focused = (event.target as HTMLElement).closest<HTMLElement>("[data-card]");
  if (focused === null) return;
  const all = [...document.querySelectorAll<HTMLElement>(".rows [data-card]")];
  const at = all.indexOf(focused);
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  const task = store?.get(focused.dataset.card ?? "");
  if (step !== undefined) {
    event.preventDefault();
    all[at + step]?.focus();
  } else if (event.key === "x" && task !== undefined && store !== undefined && canChangeIn(store)) toggleDone(task);
  else if (event.key === "e") show(focused.dataset.space ?? "", focused.dataset.card ?? "");
}
