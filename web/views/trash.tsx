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

const types = ["project", "task"] as const;
const pageSize = 100;

type Type = (typeof types)[number];
type Deleted = { readonly type: Type; readonly resource: Resource; readonly name: string; readonly at: string };
/** Newest first. `next`: where to read on, null at the end. */
type Page = { readonly items: readonly Deleted[]; readonly next: string | null };
/** What has been read of one type: at first nothing, and to be read from the beginning. */
type Part = Page & { readonly type: Type };
const unread: readonly Part[] = types.map((type) => ({ type, items: [], next: "" }));

async function readPage(store: SpaceStore, type: Type, cursor: string, signal: AbortSignal): Promise<Page> {
  const after = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
  const path = `/v1/spaces/${store.id}/${type}s?deleted=true&sort=-updatedAt&limit=${pageSize}${after}`;
  const { items, nextCursor } = await getJson<{ items: Resource[]; nextCursor: string | null }>(path, signal);
  const deleted = items.map((resource) => {
    const name = (resource.title ?? resource.name) as string;
    return { type, resource, name, at: resource.updatedAt as string };
  });
  return { items: deleted, next: nextCursor };
}

/** The first page; later on, what has been deleted since. */
async function readNewest(store: SpaceStore, part: Part, signal: AbortSignal): Promise<Part> {
  const newest = part.items[0]?.at ?? "";
  const found: Deleted[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Page = await readPage(store, part.type, cursor, signal);
    if (part.next === "") return { type: part.type, ...page };
    found.push(...page.items);
    cursor = (page.items.at(-1)?.at ?? "") <= newest ? null : page.next;
  }
  return joined(part, { items: found, next: part.next });
}

/** What was deleted once more stands where it was deleted last. */
function joined({ type, items }: Part, more: Page): Part {
  const byId = new Map<string, Deleted>();
  for (const each of [...items, ...more.items]) {
    const { id, version } = each.resource;
    if (version >= (byId.get(id)?.resource.version ?? 0)) byId.set(id, each);
  }
  return { type, items: [...byId.values()].sort(byDeletion), next: more.next };
}

const byDeletion = (a: Deleted, b: Deleted) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0);
/** Of what is older, something may be unread. */
const readTo = ({ items, next }: Part): string => (next === null ? "" : (items.at(-1)?.at ?? ""));
const latest = (instants: readonly string[]): string => [...instants].sort().at(-1) ?? "";

type Found = { readonly items: readonly Deleted[]; readonly hasMore: boolean; readonly showMore: () => void };

/** What was deleted, newest first, as far as it was asked for. Undefined until it has been read. */
function useDeleted(store: SpaceStore): Found | undefined {
  const [{ parts, turns }, setRead] = useState({ parts: unread, turns: 0 });
  const [asked, setAsked] = useState(1);
  const end = latest(parts.map(readTo));
  useEffect(() => {
    const ended = new AbortController();
    void surely(async () => {
      const isAskedOn = turns > 0 && asked > turns;
      const read = parts.map(async (part) => {
        const newest = await readNewest(store, part, ended.signal);
        if (!isAskedOn || newest.next === null || readTo(part) < end) return newest;
        return joined(newest, await readPage(store, part.type, newest.next, ended.signal));
      });
      const next = await Promise.all(read);
      if (!ended.signal.aborted) setRead({ parts: next, turns: asked });
    }, ended.signal);
    return () => ended.abort();
  }, [store.seq, asked]);
  if (turns === 0) return undefined;
  return {
    items: parts
      .flatMap(({ items }) => items)
      .filter(({ at }) => at >= end)
      .sort(byDeletion),
    hasMore: end !== "",
    showMore: () => setAsked(turns + 1),
  };
}

export function Trash({ store }: { store: SpaceStore }): JSX.Element {
  const changed = store.changed.value;
  const found = useDeleted(store);
  const restore = ({ type, resource, name }: Deleted) => {
    // This browser may never have had it: then the server's answer is what brings it back.
    store.putDeleted(type, resource);
    change(store.id, [{ type, id: resource.id, kind: "restore" }], {
      about: name,
      message: t("restored", { about: name }),
    });
  };
  if (found === undefined) return <p class="muted page">{t("loading")}</p>;
  const shown = found.items.filter(({ resource: { id, version } }) => {
    const here = store.get(id);
    return here === undefined || here.deletedBy !== undefined || here.version < version;
  });
  if (shown.length === 0 && !found.hasMore) return <Empty icon="trash" title={t("trashEmpty")} hint={t("trashHint")} />;
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
            <time class="muted small" dateTime={each.at}>
              {momentText(each.at)}
            </time>
            {canChangeIn(store) ? (
              <button type="button" class="button small" onClick={() => restore(each)}>
                {t("restore")}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
      {found.hasMore ? (
        <div class="row">
          <button type="button" class="button small" onClick={found.showMore}>
            {t("showMore")}
          </button>
        </div>
      ) : null}
    </div>
  );
}
