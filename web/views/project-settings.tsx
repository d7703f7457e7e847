/** A project's name, colour and columns; archive and delete. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Document } from "../../actors/resources/document.ts";
import type { Json } from "../../actors/resources/field.ts";
import { type Column, columnsMax, statuses } from "../../actors/resources/project.ts";
import { projectOf } from "../store/fields.ts";
import { go } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { newId, patchProject } from "../store/tasks.ts";
import { change } from "../sync/sending.ts";
import { nameOf, t } from "../text/language.ts";
import { Dialog, Field, Icon, TextField } from "./parts.tsx";

export function ProjectSettings({
  store,
  project,
  onClose,
}: {
  store: SpaceStore;
  project: Document;
  onClose: () => void;
}): JSX.Element {
  store.changed.value;
  const { name, description, color, columns, archived } = projectOf(project);
  const keep = (next: readonly Column[], message?: string) =>
    patchProject(project, { columns: next as unknown as Json }, message);
  const remove = () => {
    change(store.id, [{ type: "project", id: project.id, kind: "delete" }], {
      about: name,
      message: t("projectDeleted"),
    });
    onClose();
    go(["s", store.id, "list"]);
  };
  return (
    <Dialog title={t("projectSettings")} onClose={onClose}>
      <div class="form-row">
        <div class="field grow">
          <span class="field-name">{t("projectName")}</span>
          <TextField
            kind="input"
            name={t("projectName")}
            value={name}
            onKeep={(text) => patchProject(project, { name: text.slice(0, 200) })}
          />
        </div>
        <Field name={t("color")}>
          <input
            class="color-input"
            type="color"
            value={color ?? "#4f46e5"}
            onChange={(event) => patchProject(project, { color: event.currentTarget.value.toLowerCase() })}
          />
        </Field>
      </div>
      <div class="field">
        <span class="field-name">{t("projectDescription")}</span>
        <TextField
          kind="input area-text"
          name={t("projectDescription")}
          value={description}
          isMultiline
          canBeEmpty
          onKeep={(text) => patchProject(project, { description: text.slice(0, 20_000) })}
        />
      </div>
      <h3>{t("columns")}</h3>
      <ol class="column-list">
        {columns.map((column, place) => (
          <li key={column.id} class="column-row">
            <span class={`status-dot ${column.status}`} aria-hidden="true" />
            <TextField
              kind="input"
              name={`${t("columnName")} ${place + 1}`}
              value={column.name}
              onKeep={(text) =>
                keep(columns.map((each) => (each.id === column.id ? { ...each, name: text.slice(0, 100) } : each)))
              }
            />
            <span class="muted small status-name">{nameOf(column.status)}</span>
            <button
              type="button"
              class="icon-button turned-right"
              aria-label={`${t("moveLeft")}: ${column.name}`}
              disabled={place === 0}
              onClick={() => keep(swapped(columns, place - 1))}
            >
              <Icon name="chevron" />
            </button>
            <button
              type="button"
              class="icon-button turned-left"
              aria-label={`${t("moveRight")}: ${column.name}`}
              disabled={place === columns.length - 1}
              onClick={() => keep(swapped(columns, place))}
            >
              <Icon name="chevron" />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label={`${t("removeColumn")}: ${column.name}`}
              disabled={columns.length === 1}
              onClick={() =>
                keep(
                  columns.filter(({ id }) => id !== column.id),
                  t("columnRemoved", { about: column.name }),
                )
              }
            >
              <Icon name="trash" />
            </button>
          </li>
        ))}
      </ol>
      {columns.length < columnsMax ? <NewColumn onAdd={(column) => keep([...columns, column])} /> : null}
      <p class="muted small">{t("columnsHint")}</p>
      <div class="row end">
        <button type="button" class="button" onClick={() => patchProject(project, { archived: !archived })}>
          {t(archived ? "unarchive" : "archive")}
        </button>
        <button type="button" class="button danger" onClick={remove}>
          {t("deleteProject")}
        </button>
      </div>
    </Dialog>
  );
}

function swapped(columns: readonly Column[], place: number): Column[] {
  const [first, second] = columns.slice(place, place + 2);
  if (first === undefined || second === undefined) return [...columns];
  return [...columns.slice(0, place), second, first, ...columns.slice(place + 2)];
}

function NewColumn({ onAdd }: { onAdd: (column: Column) => void }): JSX.Element {
  const [name, setName] = useState("");
  return (
    <form
      class="form-row"
      onSubmit={(event) => {
        event.preventDefault();
        const status = String(new FormData(event.currentTarget).get("status"));
        if (name.trim() === "") return;
        onAdd({ id: newId(), name: name.trim().slice(0, 100), status });
        setName("");
      }}
    >
      <input
        class="input grow"
        aria-label={t("columnName")}
        placeholder={t("addColumn")}
        value={name}
        maxLength={100}
        onInput={(event) => setName(event.currentTarget.value)}
      />
      <select class="select" name="status" aria-label={t("status")}>
        {statuses.map((each) => (
          <option key={each} value={each}>
            {nameOf(each)}
          </option>
        ))}
      </select>
      <button type="submit" class="button">
        {t("add")}
      </button>
    </form>
  );
}
