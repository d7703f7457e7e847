/** Which tasks are shown: parameters of the address, for the board and the list alike. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { statuses } from "../../actors/resources/project.ts";
import { priorities } from "../../actors/resources/task.ts";
import { membersOf } from "../store/people.ts";
import { route, setQuery } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { labelsOf, projectOf, projectsOf, type Task, taskOf } from "../store/tasks.ts";
import { user } from "../sync/session.ts";
import { nameOf, t } from "../text/language.ts";
import { Icon } from "./parts.tsx";

const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

export function matcher(query: URLSearchParams): (task: Task) => boolean {
  const words = fold(query.get("q") ?? "")
    .split(/\s+/)
    .filter((word) => word !== "");
  const [project, assignee, label, priority, status] = ["project", "assignee", "label", "priority", "status"].map(
    (name) => query.get(name),
  );
  const me = user.value?.id;
  return (task) => {
    const fields = taskOf(task);
    if (project != null && (fields.projectId ?? "none") !== project) return false;
    if (priority != null && fields.priority !== priority) return false;
    if (status != null && fields.status !== status) return false;
    if (label != null && !fields.labels.includes(label)) return false;
    if (assignee === "none" && fields.assigneeIds.length > 0) return false;
    const wanted = assignee === "me" ? me : assignee;
    if (wanted != null && assignee !== "none" && !fields.assigneeIds.includes(wanted)) return false;
    if (words.length === 0) return true;
    const text = fold(`${fields.title} ${fields.description} ${fields.labels.join(" ")}`);
    return words.every((word) => text.includes(word));
  };
}

type Choice = readonly [value: string, name: string];

export function Filters({ store, hasList = false }: { store: SpaceStore; hasList?: boolean }): JSX.Element {
  const { query } = route.value;
  const active = ["q", "project", "assignee", "label", "priority", "status"].some((name) => query.has(name));
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
          onClick={() => setQuery({ q: "", project: "", assignee: "", label: "", priority: "", status: "" })}
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
