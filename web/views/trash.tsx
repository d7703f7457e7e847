/** Deleted tasks, to be restored. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Resource, SpaceStore } from "../store/space-store.ts";
import { change } from "../sync/sending.ts";
import { getJson } from "../sync/session.ts";
import { momentText, t } from "../text/language.ts";
import { Empty } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";

export function Trash({ store }: { store: SpaceStore }): JSX.Element {
  const changed = store.changed.value;
  const [items, setItems] = useState<readonly Resource[] | undefined>(undefined);
  useEffect(() => {
    const ended = new AbortController();
    getJson<{ items: Resource[] }>(
      `/v1/spaces/${store.id}/tasks?deleted=true&sort=-updatedAt&limit=100`,
      ended.signal,
    ).then(
      (page) => setItems(page.items),
      () => setItems((known) => known ?? []),
    );
    return () => ended.abort();
  }, [store.id, store.seq]);
  const shown = (items ?? []).filter(({ id, version }) => {
    const here = store.get(id);
    return here === undefined || here.deletedBy !== undefined || here.version < version;
  });
  const restore = (task: Resource) => {
    // This browser may never have had it: then the server's answer is what brings it back.
    store.putDeleted("task", task);
    change(store.id, [{ type: "task", id: task.id, kind: "restore" }], {
      about: task.title as string,
      message: t("restored", { about: task.title as string }),
    });
  };
  if (items === undefined) return <p class="muted page">{t("loading")}</p>;
  if (shown.length === 0) return <Empty icon="trash" title={t("trashEmpty")} hint={t("trashHint")} />;
  return (
    <div class="page" data-changed={changed}>
      <p class="muted">{t("trashHint")}</p>
      <ul class="rows people-rows">
        {shown.map((task) => (
          <li class="person-row" key={task.id}>
            <span class="person-name clamp">{task.title as string}</span>
            <time class="muted small" dateTime={task.updatedAt as string}>
              {momentText(task.updatedAt as string)}
            </time>
            {canChangeIn(store) ? (
              <button type="button" class="button small" onClick={() => restore(task)}>
                {t("restore")}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
    </div>
  );
}
