/** The whole page: which view is shown, and the keys that work everywhere. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Document } from "../../actors/resources/document.ts";
import { readText, writeText } from "../kept-texts.ts";
import { projectsOf } from "../store/boards.ts";
import { isKeeping } from "../store/database.ts";
import { projectOf } from "../store/fields.ts";
import { openNames } from "../store/people.ts";
import { carried, closeTask, go, hrefOf, openTask, projectId, route, spaceId, view } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { firstWaitMs, longestWaitMs, pause } from "../sync/again.ts";
import { isOutdated, loadNewPage } from "../sync/new-page.ts";
import { isVerdict, user } from "../sync/session.ts";
import { loading, spaces, storeOf } from "../sync/spaces.ts";
import { language, t } from "../text/language.ts";
import { Board } from "./board.tsx";
import { moving } from "./column.tsx";
import { Day } from "./day.tsx";
import { open } from "./dialogs.ts";
import { Filters, matches } from "./filters.tsx";
import { Keys } from "./keys.tsx";
import { List } from "./list.tsx";
import { accept, Members } from "./members.tsx";
import { MoveDialog } from "./move.tsx";
import { isNarrow } from "./narrow.ts";
import { Notes, SaveState, said, Toast, takeBack } from "./notes.tsx";
import { OldNote } from "./older.tsx";
import { Palette } from "./palette.tsx";
import { Panel } from "./panel.tsx";
import { Dialog, Empty, Icon } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";
import { ProjectSettings } from "./project-settings.tsx";
import { QuickAdd } from "./quick-add.tsx";
import { Settings } from "./settings.tsx";
import { closeMenu, isMenuOpen, Shell } from "./shell.tsx";
import { faultText, SignIn } from "./sign-in.tsx";
import { Trash } from "./trash.tsx";

const lastSpaceKey = "last-space";
const isConfiguring = signal(false);

export function App(): JSX.Element {
  document.documentElement.lang = language.value;
  const who = user.value;
  const invited = carried.join.value;
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useEffect(() => {
    if (who != null) void openNames();
  }, [who?.id]);
  useEffect(() => {
    if (who == null || invited === undefined) return;
    const ended = new AbortController();
    void join(invited, ended.signal);
    return () => ended.abort();
  }, [who?.id, invited]);
  return (
    <>
      {who === undefined ? (
        <main class="entry" aria-busy="true">
          <h1 class="unseen">{t("appName")}</h1>
        </main>
      ) : who === null || carried.reset.value !== undefined ? (
        <SignIn />
      ) : (
        <Inside userId={who.id} />
      )}
      <div id="announcements" class="unseen" role="status" aria-live="polite" />
    </>
  );
}

/** Until the server has said yes or no: the link is not in the address any more, so nobody can follow it again. */
async function join(token: string, signal: AbortSignal): Promise<void> {
  for (let waitMs = firstWaitMs; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
    try {
      const joined = await accept(token);
      carried.join.value = undefined;
      go(["s", joined, "list"]);
      said.value = t("joined");
      return;
    } catch (error) {
      if (signal.aborted) return;
      const isGone = isVerdict(error) && error.problem.status === 404;
      said.value = isGone ? t("joinFailed") : isVerdict(error) ? faultText(error) : t("joinLater");
      if (isVerdict(error)) carried.join.value = undefined;
    }
    await pause(waitMs, signal);
  }
}

/** The space of the address, else the one that was looked at last, else one's own. */
function currentSpace(userId: string): string {
  const wanted = spaceId.value ?? readText(lastSpaceKey);
  const known = spaces.value.some(({ id }) => id === wanted);
  const found = wanted !== null && (known || spaces.value.length === 0) ? wanted : userId;
  if (spaceId.value !== undefined && known) writeText(lastSpaceKey, found);
  return found;
}

function Inside({ userId }: { userId: string }): JSX.Element {
  const store = storeOf(currentSpace(userId));
  const project = projectId.value === undefined ? undefined : store.get(projectId.value);
  const task = openTask.value;
  const title = titleOf(store, project);
  useEffect(() => {
    document.title = `${title} · ${t("appName")}`;
  }, [title, language.value]);
  useEffect(() => {
    isMenuOpen.value = false;
  }, [route.value.path.join("/")]);
  const isBoard = view.value === "board" && projectId.value !== undefined;
  return (
    <Shell store={store}>
      <main
        class={task === undefined ? "main" : "main with-panel"}
        id="main"
        tabIndex={-1}
        inert={isNarrow.value && isMenuOpen.value}
      >
        <header class="topbar">
          <button
            type="button"
            class="icon-button menu-button"
            aria-label={t("openMenu")}
            onClick={() => {
              isMenuOpen.value = true;
            }}
          >
            <Icon name="menu" />
          </button>
          <div class="heading">
            <h1 class="clamp">{title}</h1>
            {isNarrow.value ? <SaveState /> : null}
          </div>
          {project === undefined || !canChangeIn(store) ? null : (
            <button
              type="button"
              class="icon-button"
              aria-label={t("projectSettings")}
              title={t("projectSettings")}
              onClick={() => {
                isConfiguring.value = true;
              }}
            >
              <Icon name="settings" />
            </button>
          )}
          <span class="spacer" />
          <button
            type="button"
            class="button palette-button"
            aria-label={`${t("palette")} Ctrl K`}
            onClick={() => {
              open.value = "palette";
            }}
          >
            <Icon name="search" />
            <kbd>Ctrl K</kbd>
          </button>
          {canChangeIn(store) ? (
            <button
              type="button"
              class="button primary"
              onClick={() => {
                open.value = "create";
              }}
            >
              <Icon name="plus" />
              <span class="wide-only">{t("addTask")}</span>
              <span class="unseen narrow-name">{t("addTask")}</span>
            </button>
          ) : null}
        </header>
        {canChangeIn(store) ? null : <p class="notice banner">{t("viewOnly")}</p>}
        {isKeeping.value ? null : (
          <p class="notice banner" role="status">
            {t("notKept")}
          </p>
        )}
        {isOutdated.value ? (
          <p class="notice banner row" role="status">
            {t("newPage")}
            <button type="button" class="button small" onClick={() => void loadNewPage()}>
              {t("reload")}
            </button>
          </p>
        ) : null}
        {isBoard ? <Filters store={store} /> : null}
        {isBoard ? <OldNote /> : null}
        <Content store={store} project={project} />
      </main>
      {task === undefined ? null : <Panel spaceId={task.space} taskId={task.task} />}
      <Notes />
      <Toast />
      {open.value === "palette" ? <Palette space={store.id} /> : null}
      {open.value === "keys" ? (
        <Keys
          onClose={() => {
            open.value = undefined;
          }}
        />
      ) : null}
      {open.value === "create" ? (
        <Dialog
          title={project === undefined ? t("addTask") : `${t("addTask")} · ${projectOf(project).name}`}
          onClose={() => {
            open.value = undefined;
          }}
          kind="compact"
        >
          <QuickAdd
            store={store}
            project={project}
            onClose={() => {
              open.value = undefined;
            }}
          />
        </Dialog>
      ) : null}
      <Moving />
      {isConfiguring.value && project !== undefined ? (
        <ProjectSettings
          store={store}
          project={project}
          onClose={() => {
            isConfiguring.value = false;
          }}
        />
      ) : null}
    </Shell>
  );
}

/** The task as it is now: somebody else may change it meanwhile, or delete it. */
function Moving(): JSX.Element | null {
  const asked = moving.value;
  if (asked === undefined) return null;
  const store = storeOf(asked.spaceId);
  const task = store.get(asked.id);
  return task === undefined || task.deletedBy !== undefined ? null : <MoveDialog task={task} store={store} />;
}

function titleOf(store: SpaceStore, project: Document | undefined): string {
  store.changed.value;
  if (project !== undefined) return projectOf(project).name;
  const names = {
    day: "myDay",
    settings: "settings",
    list: "list",
    members: "members",
    trash: "trash",
    board: "inbox",
  } as const;
  return t(names[(view.value === "" ? "day" : view.value) as keyof typeof names] ?? "appName");
}

function Content({ store, project }: { store: SpaceStore; project: Document | undefined }): JSX.Element {
  store.changed.value;
  const lines = loading.value.get(store.id);
  if (view.value === "settings") return <Settings />;
  if (spaceId.value === undefined) return <Day />;
  if (store.seq < 0)
    return (
      <div class="page muted" role="status">
        <p>{lines === undefined ? t("loading") : t("loadingN", { n: lines })}</p>
        <progress class="progress" aria-label={t("loading")} />
      </div>
    );
  if (view.value === "list") return <List store={store} />;
  if (view.value === "members") return <Members store={store} />;
  if (view.value === "trash") return <Trash key={`${store.id} ${store.epoch}`} store={store} />;
  if (projectId.value === undefined) return <FirstBoard store={store} />;
  if (projectId.value !== "none" && (project === undefined || project.deletedBy !== undefined))
    return <Empty icon="board" title={t("notFound")} hint="" />;
  return <Board key={projectId.value} store={store} project={project} matches={matches.value} />;
}

/** The address of a space without a view leads to its first project. */
function FirstBoard({ store }: { store: SpaceStore }): JSX.Element {
  const first = projectsOf(store).find((project) => !projectOf(project).archived);
  const target = hrefOf(["s", store.id, "board", first?.id ?? "none"]);
  useEffect(() => {
    location.replace(target);
  }, [target]);
  return <p class="page muted">{t("loading")}</p>;
}

const isText = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement
    ? !["checkbox", "range", "color"].includes(target.type)
    : target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;

/** Fields that take back what was typed by themselves. */
const isWriting = (target: EventTarget | null): boolean =>
  isText(target) &&
  !(target instanceof HTMLSelectElement) &&
  !(target instanceof HTMLInputElement && ["date", "time"].includes(target.type));

function onKey(event: KeyboardEvent): void {
  if (user.value == null || event.defaultPrevented || event.isComposing) return;
  const isCommand = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (isCommand && key === "k") {
    event.preventDefault();
    open.value = open.value === "palette" ? undefined : "palette";
    return;
  }
  if (document.querySelector("dialog[open]") !== null) return;
  if (isCommand && key === "z" && !event.shiftKey && !isWriting(event.target)) {
    event.preventDefault();
    void takeBack();
    return;
  }
  if (isText(event.target)) return;
  if (isCommand || event.altKey) return;
  if (event.key === "Escape" && isMenuOpen.value) closeMenu();
  else if (event.key === "Escape" && moving.value !== undefined) moving.value = undefined;
  // The focus may be nowhere, when what had it has gone from the panel.
  else if (event.key === "Escape" && openTask.value !== undefined) closeTask();
  else if (key === "c")
    act(event, () => {
      open.value = "create";
    });
  else if (event.key === "?")
    act(event, () => {
      open.value = "keys";
    });
  else if (event.key === "/")
    act(event, () => {
      const search = document.getElementById("search");
      if (search === null) open.value = "palette";
      else search.focus();
    });
  else if ((key === "j" || key === "ArrowDown".toLowerCase()) && document.activeElement?.closest("[data-card]") == null)
    document.querySelector<HTMLElement>("[data-card]")?.focus();
}

function act(event: KeyboardEvent, what: () => void): void {
  event.preventDefault();
  what();
}
