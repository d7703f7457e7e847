/** What is shown, as the fragment of the address tells it: views can be bookmarked and sent. */
import { computed, signal } from "@preact/signals";

export type Route = { readonly path: readonly string[]; readonly query: URLSearchParams };

function read(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { path: path.split("/").filter((part) => part !== ""), query: new URLSearchParams(query) };
}

/** Secrets that a link carried: they are taken out of the address before anything else. */
export const carried = { join: signal<string | undefined>(undefined), reset: signal<string | undefined>(undefined) };

function takeSecrets(): void {
  const [, join] = /^#\/join\/([^/?]+)$/.exec(location.hash) ?? [];
  const [, reset] = /^#\/?reset[=/]([^&?]+)$/.exec(location.hash) ?? [];
  if (join !== undefined) carried.join.value = decoded(join);
  if (reset !== undefined) carried.reset.value = decoded(reset);
  if (join !== undefined || reset !== undefined) history.replaceState(null, "", `${location.pathname}#/`);
}

/** What somebody has cut in the middle of an escape is no token, and no reason for an empty page. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

takeSecrets();
export const route = signal<Route>(read());
addEventListener("hashchange", () => {
  takeSecrets();
  route.value = read();
});

export const spaceId = computed(() => (route.value.path[0] === "s" ? route.value.path[1] : undefined));
export const view = computed(() =>
  spaceId.value === undefined ? (route.value.path[0] ?? "") : (route.value.path[2] ?? "board"),
);
/** Of the board. */
export const projectId = computed(() => (view.value === "board" ? route.value.path[3] : undefined));
/** The task whose panel is open: `<space>:<task>`. */
export const openTask = computed(() => {
  const [space, task] = (route.value.query.get("task") ?? "").split(":");
  return space !== undefined && task !== undefined ? { space, task } : undefined;
});

export function hrefOf(path: readonly string[], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${path.join("/")}${search === "" ? "" : `?${search}`}`;
}

export function go(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = hrefOf(path, query);
}

/** The same view with other parameters; an empty value takes one away. */
export function withQuery(changes: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(route.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  const search = query.toString();
  return `#/${route.value.path.join("/")}${search === "" ? "" : `?${search}`}`;
}

export function show(space: string, task: string): void {
  location.hash = withQuery({ task: `${space}:${task}` });
}

export function closeTask(): void {
  location.hash = withQuery({ task: "" });
}

/** Typing into a filter makes no entry in the browser's history. */
export function setQuery(changes: Readonly<Record<string, string>>): void {
  history.replaceState(null, "", withQuery(changes));
  route.value = read();
}
