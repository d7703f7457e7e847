/** My day: what is due, over all spaces of the user. */
import type { JSX } from "preact";
import { isHidden } from "../store/boards.ts";
import { isClosed, taskOf } from "../store/fields.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { user } from "../sync/session.ts";
import { spaces, storeOf } from "../sync/spaces.ts";
import { addDays, dueDay, format, numberText, t, today } from "../text/language.ts";
import { onListKey } from "./list.tsx";
import { Empty, Icon } from "./parts.tsx";
import { type RowItem, Rows, rowsIn } from "./rows.tsx";
import { naming } from "./shell.tsx";

type Due = { readonly item: RowItem; readonly day: string };
const weekDays = 7;

export function Day(): JSX.Element {
  const now = today.value;
  const last = addDays(now, weekDays);
  const found = spaces.value.flatMap(({ id }) => mine(storeOf(id))).filter(({ day }) => day <= last);
  found.sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
  const groups = [
    { name: t("overdue"), kind: "late", items: found.filter(({ day }) => day < now) },
    { name: t("today"), kind: "soon", items: found.filter(({ day }) => day === now) },
    { name: t("nextDays"), kind: "", items: found.filter(({ day }) => day > now) },
  ].filter(({ items }) => items.length > 0);
  return (
    <div
      class="day"
      onKeyDown={(event) =>
        onListKey(
          event,
          storeOf((event.target as HTMLElement).closest<HTMLElement>("[data-space]")?.dataset.space ?? ""),
        )
      }
    >
      <p class="day-date">{format(new Date(), { weekday: "long", day: "numeric", month: "long" })}</p>
      {groups.length > 0 ? null : hasProjects() ? (
        <Empty icon="day" title={t("dayEmpty")} hint={t("dayEmptyHint")} />
      ) : (
        <Empty icon="board" title={t("firstProject")} hint={t("firstProjectHint")}>
          <button
            type="button"
            class="button primary"
            onClick={() => {
              naming.value = "project";
            }}
          >
            <Icon name="plus" />
            {t("createProject")}
          </button>
        </Empty>
      )}
      {groups.map(({ name, kind, items }) => (
        <section key={name} aria-label={name}>
          <h2 class={`group-name ${kind}`}>
            {name}
            <span class="count">{numberText(items.length)}</span>
          </h2>
          <Rows items={items.map(({ item }) => item)} />
        </section>
      ))}
    </div>
  );
}

/** Somebody new has none: then the day says how to begin. */
function hasProjects(): boolean {
  return spaces.value.some(({ id }) => storeOf(id).seq < 0 || storeOf(id).all("project").length > 0);
}

/** In one's own space all tasks are one's own; in others those that one is to do. */
function mine(store: SpaceStore): Due[] {
  store.changed.value;
  const me = user.value?.id ?? "";
  const itemOf = rowsIn(store);
  return store.all("task").flatMap((task) => {
    const { due, assigneeIds } = taskOf(task);
    if (due === null || isClosed(task)) return [];
    if (store.id !== me && !assigneeIds.includes(me)) return [];
    return isHidden(store, task) ? [] : [{ item: itemOf(task), day: dueDay(due) }];
  });
}
