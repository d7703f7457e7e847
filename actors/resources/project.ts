/** Projects: columns through which tasks go. */
import type { Document, Fields } from "./document.ts";
import type { Draft } from "./draft.ts";
import { color, columns, flag, type Json, text } from "./field.ts";
import type { ResourceType } from "./resource-type.ts";

export const statuses = ["todo", "in_progress", "done", "cancelled"] as const;
export const columnsMax = 30;
const projectsMax = 1_000;

export type Column = { readonly id: string; readonly name: string; readonly status: string };

const least = "member";

export const project: ResourceType = {
  name: "project",
  plural: "projects",
  isContent: true,
  fields: {
    name: text({ min: 1, max: 200, blank: false }, { sortable: true }),
    description: text({ max: 20_000 }, { byDefault: "" }),
    color: color({ byDefault: null }),
    columns: columns(columnsMax),
    archived: flag({ byDefault: false }),
  },
  may: {
    create: { least },
    patch: { least },
    replace: { least },
    delete: { least },
    restore: { least },
    undo: { least },
  },
  guard(draft, before) {
    if (before === undefined) refuseOverLimit(draft);
  },
  derive({ draft, before, fields }) {
    const known = new Map(columnsOf(before).map(({ id, status }) => [id, status]));
    for (const [index, { id, status }] of (fields.columns as unknown as Column[]).entries())
      if (known.has(id) && known.get(id) !== status)
        draft.refuse("invalid-reference", {
          path: `/columns/${index}/status`,
          message: "cannot be changed: make another column",
        });
  },
};

/** Also where a project comes back. */
function refuseOverLimit(draft: Draft): void {
  if (draft.head.projects >= projectsMax)
    draft.refuse("limit-reached", { message: `A space has at most ${projectsMax} projects.` });
}

export function columnsOf(document: Document | undefined): readonly Column[] {
  return (document?.fields.columns ?? []) as Json as unknown as Column[];
}

export function firstColumn(among: readonly Column[], status: string): Column | undefined {
  return among.find((column) => column.status === status);
}

/** Where a task is shown: in its column, or where the project no longer has that, in the first one of its status. */
export function shownColumn(among: readonly Column[], { columnId, status }: Fields): Column | undefined {
  return among.find(({ id }) => id === columnId) ?? firstColumn(among, status as string);
}

/** What a project has that names no columns: a choice of names for `choice`'s statuses, with ids made by the caller. */
export function defaultColumns(newId: (index: number) => string): Column[] {
  return [
    ["To do", "todo"],
    ["In progress", "in_progress"],
    ["Done", "done"],
  ].map(([name = "", status = ""], index) => ({ id: newId(index), name, status }));
}
