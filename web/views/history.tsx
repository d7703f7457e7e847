/** What became of a task: who changed what and when, how it was at any version, and any value of the past back by one click. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Json } from "../../actors/resources/field.ts";
import { spacedAt } from "../../actors/resources/spacing.ts";
import { projectOf, type Task, taskOf } from "../store/fields.ts";
import { nameOfUser } from "../store/people.ts";
import type { Resource, SpaceStore } from "../store/space-store.ts";
import { patchTask } from "../store/tasks.ts";
import { surely } from "../sync/again.ts";
import { getJson } from "../sync/session.ts";
import { dueText, fullMomentText, type Key, momentText, nameOf, t } from "../text/language.ts";
import { Markdown } from "../text/markdown.tsx";
import { Avatar } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";

type Change = { readonly from: Json; readonly to: Json };
type HistoryItem = {
  readonly version: number;
  readonly kind: "created" | "changed" | "deleted" | "restored" | "undone";
  readonly at: string;
  readonly actorId: string;
  readonly changes: Readonly<Record<string, Change>>;
};
type HistoryPage = { readonly items: readonly HistoryItem[]; readonly nextCursor: string | null };
const pageSize = 50;
/** What a person can bring back. */
const writable = ["title", "description", "status", "priority", "labels", "due", "assigneeIds", "estimateMinutes"];
const names: Readonly<Record<string, Key>> = {
  title: "title",
  description: "description",
  status: "status",
  priority: "priority",
  labels: "labels",
  due: "due",
  projectId: "project",
  columnId: "column",
  parentId: "parent",
  assigneeIds: "assignees",
  estimateMinutes: "estimate",
  name: "name",
  color: "color",
  body: "comment",
};

/** Whether people know the field by a name. */
export const isNamed = (name: string): boolean => name in names;

/** A field's name as people read it. */
export const fieldName = (name: string): string => t(names[name] ?? "title");

export function History({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  const [items, setItems] = useState<readonly HistoryItem[] | undefined>(undefined);
  const [cursor, setCursor] = useState<string | null>(null);
  const [version, setVersion] = useState<number | undefined>(undefined);
  const path = `/v1/spaces/${store.id}/tasks/${task.id}`;
  const onServer = store.onServer(task.id)?.version ?? 0;
  useEffect(() => {
    const ended = new AbortController();
    void surely(async () => {
      const page = await getJson<HistoryPage>(`${path}/history?limit=${pageSize}`, ended.signal);
      setItems(page.items);
      setCursor(page.nextCursor);
    }, ended.signal);
    return () => ended.abort();
  }, [path, onServer]);
  const showMore = () => {
    getJson<HistoryPage>(`${path}/history?limit=${pageSize}&cursor=${encodeURIComponent(cursor ?? "")}`).then(
      (page) => {
        setItems([...(items ?? []), ...page.items]);
        setCursor(page.nextCursor);
      },
      () => undefined,
    );
  };
  if (items === undefined) return <p class="muted">{t("loading")}</p>;
  const latest = items[0]?.version ?? 1;
  const shown = version ?? latest;
  const at = items.find((item) => item.version === shown)?.at;
  return (
    <>
      {latest > 1 ? (
        <label class="slider">
          <span class="slider-text">
            <span>{t("historyAt", { version: shown, all: latest })}</span>
            <span class="muted">{at === undefined ? "" : fullMomentText(at)}</span>
          </span>
          <input
            type="range"
            aria-label={t("historySlider")}
            aria-valuetext={`${t("historyAt", { version: shown, all: latest })} ${at === undefined ? "" : fullMomentText(at)}`}
            min={1}
            max={latest}
            value={shown}
            onInput={(event) => {
              const next = Number(event.currentTarget.value);
              setVersion(next === latest ? undefined : next);
            }}
          />
        </label>
      ) : null}
      {version === undefined ? null : (
        <Past path={path} version={version} task={task} store={store} onClose={() => setVersion(undefined)} />
      )}
      <ol class="history">
        {items.filter(isAskedFor).map((item) => (
          <Item key={item.version} item={item} task={task} store={store} />
        ))}
      </ol>
      {cursor === null ? null : (
        <button type="button" class="button small" onClick={showMore}>
          {t("showMore")}
        </button>
      )}
    </>
  );
}

function Past({
  path,
  version,
  task,
  store,
  onClose,
}: {
  path: string;
  version: number;
  task: Task;
  store: SpaceStore;
  onClose: () => void;
}): JSX.Element {
  const [past, setPast] = useState<Resource | undefined>(undefined);
  useEffect(() => {
    const ended = new AbortController();
    void surely(async () => setPast(await getJson<Resource>(`${path}?version=${version}`, ended.signal)), ended.signal);
    return () => ended.abort();
  }, [path, version]);
  if (past === undefined) return <p class="muted">{t("loading")}</p>;
  const restore = () => {
    patchTask(task, Object.fromEntries(writable.map((name) => [name, past[name] ?? null])), {
      message: t("restored", { about: taskOf(task).title }),
    });
    onClose();
  };
  return (
    <div class="past">
      <strong>{past.title as string}</strong>
      <dl>
        {["status", "priority", "labels", "due", "assigneeIds"].map((name) => (
          <div key={name}>
            <dt>{t(names[name] ?? "title")}</dt>
            <dd>{valueText(store, name, past[name] ?? null)}</dd>
          </div>
        ))}
      </dl>
      {past.description === "" ? null : <Markdown text={past.description as string} />}
      <div class="row">
        {canChangeIn(store) ? (
          <button type="button" class="button primary small" onClick={restore}>
            {t("restoreVersion")}
          </button>
        ) : null}
        <button type="button" class="button small" onClick={onClose}>
          {t("backToNow")}
        </button>
      </div>
    </div>
  );
}

/** A rank that was made anew because of others is nobody's change. */
function isAskedFor({ kind, changes }: HistoryItem): boolean {
  return kind !== "changed" || Object.keys(changes).join() !== "rank" || spacedAt(changes.rank?.to) === undefined;
}

function Item({ item, task, store }: { item: HistoryItem; task: Task; store: SpaceStore }): JSX.Element {
  const changes = Object.entries(item.changes).filter(([name]) => name in names);
  const fields = changes.map(([name]) => t(names[name] ?? "title").toLowerCase()).join(", ");
  const said = {
    created: "createdIt",
    changed: "changedIt",
    deleted: "deletedIt",
    restored: "restoredIt",
    undone: "undoneIt",
  } as const;
  return (
    <li class="history-item">
      <Avatar id={item.actorId} />
      <div>
        <p>
          <strong>{nameOfUser(item.actorId)}</strong>{" "}
          {t(said[item.kind], { fields: fields === "" ? t("rank").toLowerCase() : fields })}{" "}
          <time class="muted small" dateTime={item.at}>
            {momentText(item.at)}
          </time>
        </p>
        {item.kind === "created" ? null : (
          <ul class="diffs">
            {changes.map(([name, { from, to }]) => (
              <li key={name} class="diff">
                <del>{valueText(store, name, from)}</del> <span aria-hidden="true">→</span>{" "}
                <ins>{valueText(store, name, to)}</ins>
                {canChangeIn(store) && writable.includes(name) ? (
                  <button
                    type="button"
                    class="link small"
                    onClick={() =>
                      patchTask(
                        task,
                        { [name]: from },
                        { message: t("restored", { about: t(names[name] ?? "title") }) },
                      )
                    }
                  >
                    {t("bringBack")}
                  </button>
                ) : null}
              </li>
            ))}
          </ul>
        )}
      </div>
    </li>
  );
}

/** What a patch says of a field, as people read it: of a set it may name some alone, and of a date parts that go. */
export function changeText(store: SpaceStore, name: string, value: Json): string {
  if (["title", "description", "body", "name"].includes(name) && typeof value === "string") return value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return valueText(store, name, value);
  const { add, remove } = value as { add?: Json; remove?: Json };
  if (add !== undefined || remove !== undefined)
    return [add, remove].flatMap((part) => (part === undefined ? [] : valueText(store, name, part))).join(", ");
  return valueText(store, name, Object.fromEntries(Object.entries(value).filter(([, part]) => part !== null)));
}

/** A value as people read it. */
export function valueText(store: SpaceStore, name: string, value: Json): string {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return t("empty");
  if (name === "status" || name === "priority") return nameOf(value as string);
  if (name === "due") return dueText(value as Parameters<typeof dueText>[0]);
  if (name === "assigneeIds") return (value as readonly string[]).map(nameOfUser).join(", ");
  if (name === "labels") return (value as readonly string[]).join(", ");
  const document = typeof value === "string" ? store.get(value) : undefined;
  if (name === "projectId") return document === undefined ? t("project") : projectOf(document).name;
  if (name === "parentId") return document === undefined ? t("parent") : taskOf(document).title;
  if (name === "columnId") return columnName(store, value as string);
  return String(value).slice(0, 300);
}

function columnName(store: SpaceStore, id: string): string {
  const columns = store.all("project").flatMap((project) => projectOf(project).columns);
  return columns.find((column) => column.id === id)?.name ?? t("column");
}
