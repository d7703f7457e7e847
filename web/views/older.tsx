/** Tasks that were completed long ago are not in the page: where words are looked for, it says so, and looks for them on the server when it is asked to. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { doneDays } from "../store/long-ago.ts";
import { route } from "../store/route.ts";
import type { Resource } from "../store/space-store.ts";
import { getJson } from "../sync/session.ts";
import { storeOf } from "../sync/spaces.ts";
import { t } from "../text/language.ts";
import { searchWith } from "./dialogs.ts";
import { faultText } from "./sign-in.tsx";

const pageSize = 100;
/** For one click. Those that the page has are among them, and passed over. */
const pagesMax = 10;

/** Below the filters of a board or list. */
export function OldNote(): JSX.Element | null {
  const { query } = route.value;
  const q = query.get("q") ?? "";
  if (q === "" && query.get("done") !== "1" && !query.has("status")) return null;
  return (
    <p class="old-note muted small">
      {t("oldNotListed", { n: doneDays })}{" "}
      <button type="button" class="link-button" onClick={() => searchWith(q)}>
        {t("searchThem")}
      </button>
    </p>
  );
}

/** Of which words, and how far they have been looked for. `next`: where to read on, null at the end. */
type Search = {
  readonly text: string;
  readonly tasks: readonly Resource[];
  readonly next: string | null;
  readonly state: "unasked" | "asked" | "read";
  readonly fault: string;
};
const unasked = (text: string): Search => ({ text, tasks: [], next: "", state: "unasked", fault: "" });

export type Older = Search & { readonly search: () => void };

/** What the server has of these words and the page has not, newest first, as far as it was asked for. */
export function useOlder(text: string): Older {
  const [kept, keep] = useState(unasked(text));
  const asking = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => asking.current?.abort(), [text]);
  const search = kept.text === text ? kept : unasked(text);
  return {
    ...search,
    search: () => {
      if (search.state === "asked" || search.next === null || text.trim() === "") return;
      const ended = new AbortController();
      asking.current = ended;
      keep({ ...search, state: "asked", fault: "" });
      readOn(search, ended.signal).then(
        (next) => ended.signal.aborted || keep(next),
        (error) => ended.signal.aborted || keep({ ...search, fault: faultText(error) }),
      );
    },
  };
}

async function readOn(search: Search, signal: AbortSignal): Promise<Search> {
  const { text } = search;
  const found: Resource[] = [];
  let next = search.next;
  for (let pages = 0; next !== null && found.length === 0 && pages < pagesMax; pages++) {
    const query = `q=${encodeURIComponent(text)}&status=done&status=cancelled&sort=-updatedAt&limit=${pageSize}`;
    const more: string = next === "" ? "" : `&cursor=${encodeURIComponent(next)}`;
    const page: { items: Resource[]; nextCursor: string | null } = await getJson(
      `/v1/me/tasks?${query}${more}`,
      signal,
    );
    found.push(...page.items.filter(({ spaceId, id }) => storeOf(spaceId).get(id) === undefined));
    next = page.nextCursor;
  }
  return { text, tasks: [...search.tasks, ...found], next, state: "read", fault: "" };
}
