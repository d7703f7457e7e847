/** Everything by name: tasks, projects, views and commands. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { projectsOf } from "../store/boards.ts";
import { projectOf, taskOf } from "../store/fields.ts";
import { doneDays } from "../store/long-ago.ts";
import { go, hrefOf } from "../store/route.ts";
import { spaces, storeOf } from "../sync/spaces.ts";
import { t } from "../text/language.ts";
import { olderWords, open } from "./dialogs.ts";
import { matcher } from "./filters.tsx";
import { takeBack } from "./notes.tsx";
import { type Older, useOlder } from "./older.tsx";
import { Dialog, Icon, type IconName } from "./parts.tsx";
import { toggleTheme } from "./theme.ts";

const tasksMax = 20;

type Command = {
  readonly id: string;
  readonly name: string;
  readonly icon: IconName;
  readonly hint?: string;
  readonly act: () => void;
  /** The palette is open for what it finds. */
  readonly isSearch?: boolean;
};

function commands(space: string | undefined, text: string): Command[] {
  const to = (path: readonly string[]) => () => {
    location.hash = hrefOf(path);
  };
  const views: Command[] = [
    {
      id: "create",
      name: t("addTask"),
      icon: "plus",
      hint: "C",
      act: () => {
        open.value = "create";
      },
    },
    { id: "day", name: t("myDay"), icon: "day", act: to(["day"]) },
    ...(space === undefined
      ? []
      : [
          { id: "list", name: t("list"), icon: "list" as const, act: to(["s", space, "list"]) },
          { id: "members", name: t("members"), icon: "people" as const, act: to(["s", space, "members"]) },
          { id: "trash", name: t("trash"), icon: "trash" as const, act: to(["s", space, "trash"]) },
        ]),
    { id: "settings", name: t("settings"), icon: "settings", act: to(["settings"]) },
    { id: "theme", name: t("toggleTheme"), icon: "settings", act: toggleTheme },
    { id: "undo", name: t("undo"), icon: "undo", hint: "Ctrl Z", act: () => void takeBack() },
    {
      id: "keys",
      name: t("keys"),
      icon: "list",
      hint: "?",
      act: () => {
        open.value = "keys";
      },
    },
  ];
  const places = spaces.value.flatMap(({ id, name }): Command[] => [
    { id, name: t("goTo", { name }), icon: "people", act: to(["s", id]) },
    ...projectsOf(storeOf(id)).map(
      (project): Command => ({
        id: project.id,
        name: projectOf(project).name,
        icon: "board",
        hint: name,
        act: to(["s", id, "board", project.id]),
      }),
    ),
  ]);
  const wanted = text.trim().toLowerCase();
  const named = [...views, ...places].filter(({ name }) => name.toLowerCase().includes(wanted));
  return wanted === "" ? named : [...named.slice(0, 8), ...tasks(text)];
}

function tasks(text: string): Command[] {
  const matches = matcher({ q: text }, undefined);
  return spaces.value
    .flatMap(({ id, name }) =>
      storeOf(id)
        .all("task")
        .filter(matches)
        .map((task) => toTask({ ...taskOf(task), id: task.id, spaceId: id }, name)),
    )
    .slice(0, tasksMax);
}

type NamedTask = {
  readonly id: string;
  readonly spaceId: string;
  readonly title: string;
  readonly projectId: string | null;
};

function toTask({ id, spaceId, title, projectId }: NamedTask, hint: string): Command {
  const act = () => go(["s", spaceId, "board", projectId ?? "none"], { task: `${spaceId}:${id}` });
  return { id, name: title, icon: "check", hint, act };
}

/** What has been found on the server, and the way to look for it, or for more of it. */
function olderCommands({ text, tasks: found, next, state, search }: Older): Command[] {
  const named = found.map((task) => {
    const space = spaces.value.find(({ id }) => id === task.spaceId);
    return toTask(task as unknown as NamedTask, space?.name ?? "");
  });
  if (text.trim() === "" || state === "asked" || next === null) return named;
  const name = t(state === "read" ? "searchFurther" : "searchOlder", { n: doneDays });
  return [...named, { id: "older", name, icon: "search", act: search, isSearch: true }];
}

function statusText({ tasks: older, next, state, fault }: Older, isEmpty: boolean): string {
  if (fault !== "") return fault;
  if (state === "asked") return t("loading");
  if (state === "read" && older.length === 0 && next === null) return t("olderNone");
  return isEmpty ? t("paletteEmpty") : "";
}

export function Palette({ space }: { space: string | undefined }): JSX.Element {
  const [text, setText] = useState(olderWords.peek());
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const older = useOlder(text);
  const here = commands(space, text);
  const found = [...here, ...olderCommands(older)];
  const status = statusText(older, here.length === 0);
  useEffect(() => {
    if (olderWords.peek() === "") return;
    olderWords.value = "";
    older.search();
  }, []);
  const close = () => {
    open.value = undefined;
  };
  const act = (command: Command | undefined) => {
    if (command?.isSearch !== true) close();
    command?.act();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") {
      event.preventDefault();
      act(found[at]);
    } else if (step !== undefined && found.length > 0) {
      event.preventDefault();
      const next = (at + step + found.length) % found.length;
      setAt(next);
      list.current?.children[next]?.scrollIntoView({ block: "nearest" });
    }
  };
  return (
    <Dialog title={t("palette")} onClose={close} kind="palette">
      <input
        class="palette-input"
        role="combobox"
        aria-label={t("paletteHint")}
        aria-expanded={true}
        aria-controls="palette-list"
        aria-activedescendant={found[at] === undefined ? "" : `palette-${found[at]?.id}`}
        placeholder={t("paletteHint")}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={onKeyDown}
        data-first
      />
      <ul class="palette-list" id="palette-list" role="listbox" aria-label={t("palette")} ref={list}>
        {found.map((command, place) => (
          <li
            key={command.id}
            id={`palette-${command.id}`}
            role="option"
            aria-selected={place === at}
            class="palette-item"
            onPointerMove={() => setAt(place)}
            // The focus stays where words are written.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => act(command)}
            onKeyDown={onKeyDown}
          >
            <Icon name={command.icon} />
            <span class="clamp">{command.name}</span>
            {command.hint === undefined ? null : <span class="muted small hint">{command.hint}</span>}
          </li>
        ))}
      </ul>
      <p class="muted palette-none" role="status">
        {status}
      </p>
    </Dialog>
  );
}
