/** The changes that people make of tasks and projects. */
import { v7 as uuidv7 } from "uuid";
import type { Document } from "../../actors/resources/document.ts";
import type { Json } from "../../actors/resources/field.ts";
import type { Column } from "../../actors/resources/project.ts";
import { change } from "../sync/sending.ts";
import { storeOf } from "../sync/spaces.ts";
import { type Key, t } from "../text/language.ts";
import type { BoardColumn } from "./board-columns.ts";
import { projectOf, type Task, type TaskFields, taskOf } from "./fields.ts";

export function newId(): string {
  return uuidv7();
}

export type NewTask = Partial<Omit<TaskFields, "rank" | "completedAt">> & { readonly title: string };

export function createTask(spaceId: string, body: NewTask): string {
  const id = newId();
  change(spaceId, [{ type: "task", id, kind: "create", body: body as Record<string, Json> }], {
    about: body.title,
    message: t("createdTask", { about: body.title }),
  });
  return id;
}

export function patchTask(
  task: Task,
  body: Readonly<Record<string, Json>>,
  options: { message?: string; expected?: number } = {},
): void {
  const { message, expected } = options;
  const from = Object.fromEntries(Object.keys(body).map((name) => [name, task.fields[name] ?? null]));
  const request = {
    type: "task",
    id: task.id,
    kind: "patch",
    body,
    ...(expected === undefined ? {} : { expected }),
  } as const;
  change(task.spaceId, [request], {
    about: taskOf(task).title,
    from,
    ...(message === undefined ? {} : { message }),
  });
}

/** A field of its panel, told with a way back. */
export function setField(task: Task, name: Key, body: Readonly<Record<string, Json>>): void {
  patchTask(task, body, { message: t("changedField", { about: taskOf(task).title, field: t(name).toLowerCase() }) });
}

export function toggleDone(task: Task): void {
  const about = taskOf(task).title;
  const isDone = taskOf(task).status === "done";
  patchTask(task, { status: isDone ? "todo" : "done" }, { message: t(isDone ? "reopened" : "completed", { about }) });
}

export function deleteTask(task: Task): void {
  const about = taskOf(task).title;
  change(task.spaceId, [{ type: "task", id: task.id, kind: "delete" }], {
    about,
    message: t("deletedTask", { about }),
  });
}

/** Into a column of its board: before the neighbour, or last. Answers what to say of it. */
export function moveTask(task: Task, column: BoardColumn, before: Task | undefined): string {
  const about = taskOf(task).title;
  const others = column.tasks.filter(({ id }) => id !== task.id);
  const place = before === undefined ? others.length : others.findIndex(({ id }) => id === before.id);
  const above = others[place - 1];
  const position: Record<string, string> = {
    ...(above === undefined ? {} : { after: above.id }),
    ...(before === undefined ? {} : { before: before.id }),
  };
  const isHere = column.tasks.some(({ id }) => id === task.id);
  const target: Record<string, Json> = isHere
    ? {}
    : taskOf(task).projectId === null || column.id === ""
      ? { status: column.status }
      : { columnId: column.id };
  const message = t("movedTo", { about, column: column.name });
  const told = isHere
    ? t("movedPlace", { about, place: place + 1, all: others.length + 1, column: column.name })
    : message;
  patchTask(task, { ...target, ...(Object.keys(position).length > 0 ? { position } : {}) }, { message: told });
  return told;
}

/** To the end of a column of another project, or out of all. Answers what to say of it. */
export function moveToProject(
  task: Task,
  { project, column }: { project: Document | undefined; column: Column },
): string {
  const name = project === undefined ? t("noProject") : projectOf(project).name;
  const message = t("movedTo", { about: taskOf(task).title, column: `${name} · ${column.name}` });
  const target =
    project === undefined ? { projectId: null, status: column.status } : { projectId: project.id, columnId: column.id };
  patchTask(task, target, { message });
  return message;
}

export function createProject(spaceId: string, name: string): string {
  const id = newId();
  const columns: Json = (["todo", "in_progress", "done"] as const).map((status) => ({
    id: newId(),
    name: t(status === "done" ? "statusDone" : status),
    status,
  }));
  const colors = ["#4f46e5", "#0891b2", "#059669", "#d97706", "#dc2626", "#9333ea", "#db2777", "#475569"];
  const color = colors[storeOf(spaceId).all("project").length % colors.length] ?? null;
  change(spaceId, [{ type: "project", id, kind: "create", body: { name, color, columns } }], { about: name });
  return id;
}

export function patchProject(project: Document, body: Readonly<Record<string, Json>>, message?: string): void {
  const expected = "columns" in body ? { expected: project.version } : {};
  const from = Object.fromEntries(Object.keys(body).map((name) => [name, project.fields[name] ?? null]));
  change(project.spaceId, [{ type: "project", id: project.id, kind: "patch", body, ...expected }], {
    about: projectOf(project).name,
    from,
    ...(message === undefined ? {} : { message }),
  });
}
