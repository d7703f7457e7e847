/** One task with all that it has. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { subtasksOf } from "../store/boards.ts";
import { projectOf, type Task, taskOf } from "../store/fields.ts";
import { closeTask, hrefOf, withQuery } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { deleteTask, patchTask, setField, toggleDone } from "../store/tasks.ts";
import { surely } from "../sync/again.ts";
import { readClosedSubtasks, readTask } from "../sync/reading.ts";
import { spaces, storeOf } from "../sync/spaces.ts";
import { t } from "../text/language.ts";
import { Markdown } from "../text/markdown.tsx";
import { moving } from "./column.tsx";
import { Comments } from "./comments.tsx";
import { Facets } from "./facets.tsx";
import { History } from "./history.tsx";
import { Icon, Menu, TextField } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";
import { QuickAdd } from "./quick-add.tsx";
import { Tick } from "./tick.tsx";

export function Panel({ spaceId, taskId }: { spaceId: string; taskId: string }): JSX.Element {
  const store = storeOf(spaceId);
  store.changed.value;
  const { task, isAbsent } = useTask(store, taskId);
  const panel = useRef<HTMLElement>(null);
  const [tab, setTab] = useState<"comments" | "history">("comments");
  useEffect(() => {
    panel.current?.focus();
    setTab("comments");
  }, [taskId]);
  const isHere = task !== undefined && task.type === "task" && task.deletedBy === undefined;
  const close = () => {
    closeTask();
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-card="${taskId}"]`)?.focus());
  };
  return (
    <aside
      class="panel"
      ref={panel}
      tabIndex={-1}
      aria-label={isHere ? taskOf(task).title : t(isAbsent ? "notFound" : "loading")}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.defaultPrevented) return;
        event.preventDefault();
        close();
      }}
    >
      {isHere ? (
        <Head task={task} store={store} onClose={close} />
      ) : (
        <div class="panel-head">
          <span class="spacer" />
          <button type="button" class="icon-button" aria-label={t("close")} onClick={close}>
            <Icon name="close" />
          </button>
        </div>
      )}
      {isHere ? (
        <div class="panel-body">
          <TitleField task={task} store={store} />
          <Facets task={task} store={store} />
          <Description key={task.id} task={task} store={store} />
          <Subtasks task={task} store={store} />
          <div class="tabs" role="tablist">
            {(["comments", "history"] as const).map((each) => (
              <button
                type="button"
                role="tab"
                key={each}
                id={`tab-${each}`}
                aria-controls={`panel-${each}`}
                aria-selected={tab === each}
                onClick={() => setTab(each)}
              >
                {t(each)}
              </button>
            ))}
          </div>
          <div role="tabpanel" id={`panel-${tab}`} aria-labelledby={`tab-${tab}`}>
            {tab === "comments" ? <Comments task={task} store={store} /> : <History task={task} store={store} />}
          </div>
        </div>
      ) : (
        <p class="panel-body muted">{t(isAbsent ? "notFound" : "loading")}</p>
      )}
    </aside>
  );
}

/** As this browser has it, else as the server has: one that was completed long ago is in no snapshot. `isAbsent`: there is none for this user. */
function useTask(store: SpaceStore, id: string | null): { task: Task | undefined; isAbsent: boolean } {
  const [missing, setMissing] = useState<string | undefined>(undefined);
  const task = id === null ? undefined : store.get(id);
  // Until the space has come from the browser's own store or the server, it is not known what is missing. A space of others never comes.
  const isOpen = store.seq >= 0 || (spaces.value.length > 0 && !spaces.value.some((each) => each.id === store.id));
  const isAsked = id !== null && task === undefined && isOpen;
  useEffect(() => {
    if (!isAsked) return;
    const ended = new AbortController();
    void surely(async () => {
      const isThere = await readTask(store.id, id);
      if (!ended.signal.aborted) setMissing(isThere ? undefined : id);
    }, ended.signal);
    return () => ended.abort();
  }, [store, id, isAsked]);
  return { task, isAbsent: task === undefined ? missing === id : task.deletedBy !== undefined };
}

function Head({ task, store, onClose }: { task: Task; store: SpaceStore; onClose: () => void }): JSX.Element {
  const { projectId, parentId, title, status } = taskOf(task);
  const project = projectId === null ? undefined : store.get(projectId);
  const { task: parent } = useTask(store, parentId);
  const isDone = status === "done";
  return (
    <div class="panel-head">
      <button
        type="button"
        class={isDone ? "button small ticked" : "button small"}
        aria-pressed={isDone}
        aria-label={t(isDone ? "reopenTask" : "completeTask", { about: title })}
        disabled={!canChangeIn(store)}
        onClick={() => toggleDone(task)}
      >
        <Icon name="check" />
        {t("done")}
      </button>
      <nav class="crumbs" aria-label={t("project")}>
        <a href={hrefOf(["s", store.id, "board", project?.id ?? "none"])}>
          {project === undefined ? t("inbox") : projectOf(project).name}
        </a>
        {parent === undefined ? null : (
          <>
            <span aria-hidden="true">/</span>
            <a href={withQuery({ task: `${store.id}:${parent.id}` })}>{taskOf(parent).title}</a>
          </>
        )}
      </nav>
      <span class="spacer" />
      {canChangeIn(store) ? (
        <Menu
          name={t("more")}
          items={[
            {
              name: t("moveTo"),
              act: () => {
                moving.value = task;
              },
            },
            {
              name: t("deleteTask"),
              isDanger: true,
              act: () => {
                deleteTask(task);
                onClose();
              },
            },
          ]}
        >
          <Icon name="more" />
        </Menu>
      ) : null}
      <button type="button" class="icon-button" aria-label={t("close")} onClick={onClose}>
        <Icon name="close" />
      </button>
    </div>
  );
}

function TitleField({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  return (
    <TextField
      key={task.id}
      kind="title-input"
      name={t("title")}
      value={taskOf(task).title}
      isMultiline
      disabled={!canChangeIn(store)}
      onKeep={(title) => setField(task, "title", { title: title.slice(0, 500) })}
    />
  );
}

/** A description is never written over another one unseen: the change names the version that was read. */
function Description({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  const [draft, setDraft] = useState<{ text: string; version: number } | undefined>(undefined);
  const area = useRef<HTMLTextAreaElement>(null);
  const { description } = taskOf(task);
  const canChange = canChangeIn(store);
  const begin = () => {
    setDraft({ text: description, version: task.version });
    requestAnimationFrame(() => area.current?.focus());
  };
  const keep = () => {
    if (draft !== undefined && draft.text !== description) {
      // Other fields may have changed meanwhile: then only a description that is still the one that was read is replaced.
      const isSame = base.current === description;
      patchTask(
        task,
        { description: draft.text },
        {
          message: t("changedField", { about: taskOf(task).title, field: t("description").toLowerCase() }),
          expected: isSame ? task.version : draft.version,
        },
      );
    }
    setDraft(undefined);
  };
  const base = useRef("");
  if (draft === undefined) base.current = description;
  const heading = <h3>{t("description")}</h3>;
  if (draft === undefined)
    return (
      <section class="description">
        <div class="section-head">
          {heading}
          {canChange && description !== "" ? (
            <button type="button" class="button small ghosted" onClick={begin}>
              {t("edit")}
            </button>
          ) : null}
        </div>
        {description === "" ? (
          canChange ? (
            <button type="button" class="add-description" onClick={begin}>
              {t("addDescription")}
            </button>
          ) : null
        ) : (
          <Markdown text={description} />
        )}
      </section>
    );
  return (
    <section class="description">
      <div class="section-head">{heading}</div>
      {base.current === description ? null : <p class="notice">{t("changedMeanwhile")}</p>}
      <textarea
        ref={area}
        class="input area"
        aria-label={t("description")}
        rows={8}
        maxLength={20_000}
        value={draft.text}
        onInput={(event) => setDraft({ ...draft, text: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) keep();
          if (event.key !== "Escape") return;
          event.preventDefault();
          event.stopPropagation();
          setDraft(undefined);
        }}
      />
      <div class="row">
        <button type="button" class="button primary small" onClick={keep}>
          {t("save")}
        </button>
        <button type="button" class="button small" onClick={() => setDraft(undefined)}>
          {t("cancel")}
        </button>
        <span class="muted small">{t("markdown")}</span>
      </div>
    </section>
  );
}

function Subtasks({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  const [isAdding, setAdding] = useState(false);
  useEffect(() => {
    const ended = new AbortController();
    void surely(() => readClosedSubtasks(store.id, task.id), ended.signal);
    return () => ended.abort();
  }, [store.id, task.id]);
  const list = subtasksOf(store, task.id);
  const done = list.filter((each) => taskOf(each).status === "done").length;
  const { projectId } = taskOf(task);
  return (
    <section>
      <div class="section-head">
        <h3>{t("subtasks")}</h3>
        {list.length > 0 ? (
          <span class="count">
            {done}/{list.length}
          </span>
        ) : null}
        <span class="spacer" />
        {canChangeIn(store) ? (
          <button type="button" class="icon-button" aria-label={t("addSubtask")} onClick={() => setAdding(true)}>
            <Icon name="plus" />
          </button>
        ) : null}
      </div>
      {list.length > 0 ? (
        <progress
          class="progress"
          max={list.length}
          value={done}
          aria-label={t("subtasksOf", { done, n: list.length })}
        />
      ) : null}
      <ul class="subtasks">
        {list.map((each) => (
          <Subtask key={each.id} task={each} store={store} />
        ))}
      </ul>
      {isAdding ? (
        <QuickAdd
          store={store}
          project={projectId === null ? undefined : store.get(projectId)}
          parentId={task.id}
          onClose={() => setAdding(false)}
          isInline
        />
      ) : null}
    </section>
  );
}

function Subtask({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  const { title, status } = taskOf(task);
  const isDone = status === "done";
  return (
    <li class={isDone ? "subtask closed" : "subtask"}>
      <Tick task={task} canChange={canChangeIn(store)} isTabStop />
      <a href={withQuery({ task: `${store.id}:${task.id}` })}>{title}</a>
    </li>
  );
}
