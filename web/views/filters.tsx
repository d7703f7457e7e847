/** Which tasks are shown: parameters of the address, for the board and the list alike. */
import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { statuses } from "../../actors/resources/project.ts";
import { priorities } from "../../actors/resources/task.ts";
import { labelsOf, projectsOf } from "../store/boards.ts";
import { projectOf, type Task, taskOf } from "../store/fields.ts";
import { membersOf } from "../store/people.ts";
import { route, setQuery } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { user } from "../sync/session.ts";
import { nameOf, t } from "../text/language.ts";
import { Icon } from "./parts.tsx";

const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

const filterNames = ["q", "project", "assignee", "label", "priority", "status"] as const;
type Filter = Readonly<Partial<Record<(typeof filterNames)[number], string>>>;
/** As text, which is the same while nothing of it changes. */
const wanted = computed(() => {
  const { query } = route.value;
  return JSON.stringify(Object.fromEntries(filterNames.map((name) => [name, query.get(name) ?? undefined])));
});
/** Whether a task is shown. The same function until a filter is another one. */
export const matches = computed(() => matcher(JSON.parse(wanted.value), user.value?.id));

export function matcher(filter: Filter, me: string | undefined): (task: Task) => boolean {
  const { q = "", project, assignee, label, priority, status } = filter;
  const words = fold(q)
    .split(/\s+/)
    .filter((word) => word !== "");
  return (task) => {
    const fields = taskOf(task);
    if (project !== undefined && (fields.projectId ?? "none") !== project) return false;
    if (priority !== undefined && fields.priority !== priority) return false;
    if (status !== undefined && fields.status !== status) return false;
    if (label !== undefined && !fields.labels.includes(label)) return false;
    if (assignee === "none" && fields.assigneeIds.length > 0) return false;
    const person = assignee === "me" ? me : assignee;
    if (person !== undefined && assignee !== "none" && !fields.assigneeIds.includes(person)) return false;
    if (words.length === 0) return true;
    const text = fold(`${fields.title} ${fields.description} ${fields.labels.join(" ")}`);
    return words.every((word) => text.includes(word));
  };
}

type Choice = readonly [value: string, name: string];

export function Filters({ store, hasList = false }: { store: SpaceStore; hasList?: boolean }): JSX.Element {
  const { query } = route.value;
  const active = filterNames.some((name) => query.has(name));
  const members = membersOf(store).map(({ id, name }): Choice => [id === user.value?.id ? "me" : id, name]);
  return (
    <div class="filters" role="search">
      <SearchField />
      {hasList ? (
        <Select
          name="project"
          title={t("project")}
          choices={[
            ["none", t("noProject")],
            ...projectsOf(store).map((each): Choice => [each.id, projectOf(each).name]),
          ]}
        />
      ) : null}
      <Select name="assignee" title={t("assignee")} choices={[...members, ["none", t("unassigned")]]} />
      <Select name="label" title={t("label")} choices={labelsOf(store).map((label): Choice => [label, label])} />
      <Select name="priority" title={t("priority")} choices={priorities.map((each): Choice => [each, nameOf(each)])} />
      {hasList ? (
        <Select name="status" title={t("status")} choices={statuses.map((each): Choice => [each, nameOf(each)])} />
      ) : null}
      {hasList ? (
        <Select
          name="group"
          title={t("groupBy")}
          choices={(["project", "column", "assignee", "priority", "due"] as const).map(
            (each): Choice => [each, t("groupedBy", { name: t(each) })],
          )}
        />
      ) : null}
      {hasList ? (
        <label class="switch">
          <input
            type="checkbox"
            checked={query.get("done") === "1"}
            onChange={(event) => setQuery({ done: event.currentTarget.checked ? "1" : "" })}
          />
          {t("showDone")}
        </label>
      ) : null}
      {active ? (
        <button
          type="button"
          class="button small ghosted"
          onClick={() => setQuery(Object.fromEntries(filterNames.map((name) => [name, ""])))}
        >
          {t("clearFilters")}
        </button>
      ) : null}
    </div>
  );
}

function SearchField(): JSX.Element {
  const input = useRef<HTMLInputElement>(null);
  return (
    <span class="search-field">
      <Icon name="search" />
      <input
        ref={input}
        id="search"
        type="search"
        aria-label={t("searchTasks")}
        placeholder={t("search")}
        value={route.value.query.get("q") ?? ""}
        onInput={(event) => setQuery({ q: event.currentTarget.value })}
      />
    </span>
  );
}

function Select({ name, title, choices }: { name: string; title: string; choices: readonly Choice[] }): JSX.Element {
  const value = route.value.query.get(name) ?? "";
  return (
    <select
      class={value === "" ? "select filter" : "select filter active"}
      aria-label={title}
      value={value}
      onChange={(event) => setQuery({ [name]: event.currentTarget.value })}
    >
      <option value="">{title}</option>
      {choices.map(([each, text]) => (
        <option key={each} value={each}>
          {text}
        </option>
      ))}
    </select>
  );
}
