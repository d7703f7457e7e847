/** Tasks as rows, of the list and of My day: few or thousands. */
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import type { Document } from "../../actors/resources/document.ts";
import { type Chunk, chunked } from "../store/chunks.ts";
import { isClosed, projectOf, type Task, taskOf } from "../store/fields.ts";
import { show } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { language, t } from "../text/language.ts";
import { DueChip, Priority } from "./card.tsx";
import { useGrowing } from "./growing.ts";
import { Avatar, Icon, Label } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";
import { Tick } from "./tick.tsx";

export type RowItem = {
  readonly task: Task;
  readonly project: Document | undefined;
  readonly parent: Document | undefined;
  readonly canChange: boolean;
};

function isSameRow(one: RowItem, other: RowItem): boolean {
  return (
    one.task === other.task &&
    one.project === other.project &&
    one.parent === other.parent &&
    one.canChange === other.canChange
  );
}

/** What a row shows of a task of this space. */
export function rowsIn(store: SpaceStore): (task: Task) => RowItem {
  const canChange = canChangeIn(store);
  return (task) => {
    const { projectId, parentId } = taskOf(task);
    const project = projectId === null ? undefined : store.get(projectId);
    const parent = parentId === null ? undefined : store.get(parentId);
    return { task, project, parent, canChange };
  };
}

/** In chunks, as the cards of a board are: what changed is rendered again, and what is near the screen is laid out. */
export function Rows({ items }: { items: readonly RowItem[] }): JSX.Element {
  const before = useRef<readonly Chunk<RowItem>[]>([]);
  const chunks = chunked(items, before.current, isSameRow);
  before.current = chunks;
  const count = useGrowing(chunks.length, { first: 1, step: 2 });
  return (
    <div class="rows" role="list">
      {chunks.slice(0, count).map((chunk) => (
        <ChunkOfRows key={chunk.key} chunk={chunk} />
      ))}
    </div>
  );
}

/** It reads a signal, and so is rendered again only when that or a property is another one. */
function ChunkOfRows({ chunk }: { chunk: Chunk<RowItem> }): JSX.Element {
  language.value;
  return (
    <div class="row-chunk" role="none" style={{ "--count": chunk.items.length }}>
      {chunk.items.map((item) => (
        <Row key={item.task.id} {...item} />
      ))}
    </div>
  );
}

/** It reads a signal, and so is rendered again only when that or a property is another one. */
function Row({ task, project, parent, canChange }: RowItem): JSX.Element {
  language.value;
  const { title, labels, due, priority, assigneeIds } = taskOf(task);
  return (
    <div class={isClosed(task) ? "task-row closed" : "task-row"} role="listitem">
      <Tick task={task} canChange={canChange} />
      <button
        type="button"
        class="row-main"
        data-card={task.id}
        data-space={task.spaceId}
        onClick={() => show(task.spaceId, task.id)}
      >
        <span class="row-title">
          {title}
          {parent === undefined ? null : (
            <span class="row-parent">
              <Icon name="subtasks" />
              <span class="unseen">{t("parent")} </span>
              {taskOf(parent).title}
            </span>
          )}
        </span>
        {project !== undefined ? (
          <span class="row-project">
            <ProjectDot project={project} />
            {projectOf(project).name}
          </span>
        ) : null}
        <span class="labels">
          {labels.slice(0, 3).map((label) => (
            <Label key={label} text={label} />
          ))}
        </span>
        <Priority value={priority} />
        {due === null ? null : <DueChip due={due} isOver={isClosed(task)} />}
        <span class="avatars">
          {assigneeIds.slice(0, 3).map((id) => (
            <Avatar key={id} id={id} />
          ))}
        </span>
      </button>
    </div>
  );
}

export function ProjectDot({ project }: { project: Document }): JSX.Element {
  return (
    <span class="project-dot" aria-hidden="true" style={{ background: projectOf(project).color ?? "var(--text-3)" }} />
  );
}
