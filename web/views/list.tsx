/** The tasks of a space as a list: what is shown, its order and its groups are in the address. */
import type { JSX } from "preact";
import { priorities } from "../../actors/resources/task.ts";
import { columnsOfBoard, isHidden } from "../store/boards.ts";
import { byRank, isClosed, projectOf, type Task, taskOf } from "../store/fields.ts";
import { nameOfUser } from "../store/people.ts";
import { route, setQuery, show } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { toggleDone } from "../store/tasks.ts";
import { addDays, dueDay, dueOrder, nameOf, numberText, t, today } from "../text/language.ts";
import { moving } from "./column.tsx";
import { Filters, matches } from "./filters.tsx";
import { OldNote } from "./older.tsx";
import { Empty } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";
import { Rows, rowsIn } from "./rows.tsx";

export function List({ store }: { store: SpaceStore }): JSX.Element {
  store.changed.value;
  const { query } = route.value;
  const hasClosed = query.get("done") === "1" || query.has("status");
  const tasks = store
    .all("task")
    .filter((task) => !isHidden(store, task) && matches.value(task) && (hasClosed || !isClosed(task)));
  const sort = query.get("sort") ?? "-createdAt";
  const sorted = [...tasks].sort(sorter(sort));
  const groups = grouped(store, sorted, query.get("group") ?? "");
  return (
    <div class="list-view">
      <Filters store={store} hasList />
      <OldNote />
      {sorted.length === 0 ? (
        store.all("task").length === 0 ? (
          <Empty icon="list" title={t("emptyBoard")} hint={t("emptyBoardHint")} />
        ) : (
          <Empty icon="search" title={t("nothingFound")} hint={t("nothingFoundHint")} />
        )
      ) : (
        <div class="list" onKeyDown={(event) => onListKey(event, store)}>
          <div class="list-head" role="group" aria-label={t("sortBy")}>
            <span class="muted" aria-hidden="true">
              {t("sortBy")}
            </span>
            <SortButton by="title" name={t("title")} sort={sort} />
            <SortButton by="priority" name={t("priority")} sort={sort} />
            <SortButton by="due" name={t("due")} sort={sort} />
            <SortButton by="updatedAt" name={t("updatedAt")} sort={sort} />
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
  const itemOf = rowsIn(store);
  return (
    <section aria-label={name === "" ? t("list") : name}>
      {name === "" ? null : (
        <h2 class="group-name">
          {name}
          <span class="count">{numberText(tasks.length)}</span>
        </h2>
      )}
      <Rows items={tasks.map(itemOf)} />
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

const titles = new Intl.Collator(undefined, { numeric: true });
const priorityOf = (task: Task) => priorities.indexOf(taskOf(task).priority as (typeof priorities)[number]);

function sorter(sort: string): (a: Task, b: Task) => number {
  const sign = sort.startsWith("-") ? -1 : 1;
  const by: Record<string, (a: Task, b: Task) => number> = {
    title: (a, b) => titles.compare(taskOf(a).title, taskOf(b).title),
    priority: (a, b) => priorityOf(b) - priorityOf(a),
    updatedAt: (a, b) => (a.updatedAt < b.updatedAt ? -1 : 1),
    createdAt: (a, b) => (a.createdAt < b.createdAt ? -1 : 1),
    rank: byRank,
    due: (a, b) => {
      const [one, other] = [taskOf(a).due, taskOf(b).due].map((due) => (due === null ? undefined : dueOrder(due)));
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
  const [day, now] = [dueDay(due), today.value];
  if (day < now) return t("overdue");
  if (day === now) return t("today");
  return day <= addDays(now, 7) ? t("nextDays") : t("more");
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
  } else if (event.key === "x" && task !== undefined && store !== undefined && canChangeIn(store)) {
    toggleDone(task);
    // Where completed ones are left out, the focus goes on to the next.
    const next = all[at + 1] ?? all[at - 1];
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) next?.focus();
    });
  } else if (event.key === "m" && task !== undefined && store !== undefined && canChangeIn(store)) moving.value = task;
  else if (event.key === "e") show(focused.dataset.space ?? "", focused.dataset.card ?? "");
}
