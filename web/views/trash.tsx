/** Deleted tasks and projects, to be restored. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Resource, SpaceStore } from "../store/space-store.ts";
import { surely } from "../sync/again.ts";
import { change } from "../sync/sending.ts";
import { getJson } from "../sync/session.ts";
import { momentText, t } from "../text/language.ts";
import { Empty, Icon } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";

type Deleted = { readonly type: "project" | "task"; readonly resource: Resource; readonly name: string };

async function deletedOf(store: SpaceStore, type: "project" | "task", signal: AbortSignal): Promise<Deleted[]> {
  const path = `/v1/spaces/${store.id}/${type}s?deleted=true&sort=-updatedAt&limit=100`;
  const { items } = await getJson<{ items: Resource[] }>(path, signal);
  return items.map((resource) => ({ type, resource, name: (resource.title ?? resource.name) as string }));
}

export function Trash({ store }: { store: SpaceStore }): JSX.Element {
  const changed = store.changed.value;
  const [items, setItems] = useState<readonly Deleted[] | undefined>(undefined);
  useEffect(() => {
    const ended = new AbortController();
    void surely(async () => {
      const types = ["project", "task"] as const;
      const lists = await Promise.all(types.map((type) => deletedOf(store, type, ended.signal)));
      setItems(lists.flat());
    }, ended.signal);
    return () => ended.abort();
  }, [store.id, store.seq]);
  const shown = (items ?? []).filter(({ resource: { id, version } }) => {
    const here = store.get(id);
    return here === undefined || here.deletedBy !== undefined || here.version < version;
  });
  const restore = ({ type, resource, name }: Deleted) => {
    // This browser may never have had it: then the server's answer is what brings it back.
    store.putDeleted(type, resource);
    change(store.id, [{ type, id: resource.id, kind: "restore" }], {
      about: name,
      message: t("restored", { about: name }),
    });
  };
  if (items === undefined) return <p class="muted page">{t("loading")}</p>;
  if (shown.length === 0) return <Empty icon="trash" title={t("trashEmpty")} hint={t("trashHint")} />;
  return (
    <div class="page" data-changed={changed}>
      <p class="muted">{t("trashHint")}</p>
      <ul class="rows people-rows">
        {shown.map((each) => (
          <li class="person-row" key={each.resource.id}>
            <Icon name={each.type === "project" ? "board" : "check"} />
            <span class="person-name clamp">
              <span class="unseen">{each.type === "project" ? `${t("project")}: ` : ""}</span>
              {each.name}
            </span>
            <time class="muted small" dateTime={each.resource.updatedAt as string}>
              {momentText(each.resource.updatedAt as string)}
            </time>
            {canChangeIn(store) ? (
              <button type="button" class="button small" onClick={() => restore(each)}>
                {t("restore")}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
    </div>
  );
}
