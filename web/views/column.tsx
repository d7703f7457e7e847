/** One column of a board. It is rendered again only when something in it is another one. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Document } from "../../actors/resources/document.ts";
import type { Chunk } from "../store/chunks.ts";
import type { Task } from "../store/fields.ts";
import type { CardItem, ShownColumn } from "../store/shown-board.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { language, numberText, t } from "../text/language.ts";
import { Card } from "./card.tsx";
import { useGrowing } from "./growing.ts";
import { Icon } from "./parts.tsx";
import { QuickAdd } from "./quick-add.tsx";

/** The task of which the menu "Move to…" is open. */
export const moving = signal<Task | undefined>(undefined);
/** The column in which a task is being added. */
const addingTo = signal<string | undefined>(undefined);

const openMove = (task: Task) => {
  moving.value = task;
};

type Props = {
  readonly shown: ShownColumn;
  readonly store: SpaceStore;
  readonly project: Document | undefined;
  readonly canChange: boolean;
  /** Nothing is on the board yet. */
  readonly isFirst: boolean;
};

/** It reads signals, and so is rendered again only when one of those or a property is another one. */
export function BoardColumnView({ shown, store, project, canChange, isFirst }: Props): JSX.Element {
  const { column, count, chunks, madeFrom } = shown;
  const place = `${project?.id} ${column.id}`;
  const isAdding = addingTo.value === place;
  const chunkCount = useGrowing(chunks.length, { first: 1, step: 2 });
  const close = () => {
    addingTo.value = undefined;
  };
  return (
    <section class="column" aria-label={column.name}>
      <header class="column-header">
        <span class={`status-dot ${column.status}`} aria-hidden="true" />
        <h2>{column.name}</h2>
        <span class="count">{numberText(count)}</span>
        {canChange && column.id !== "" ? (
          <button
            type="button"
            class="icon-button"
            aria-label={t("addTaskTo", { column: column.name })}
            onClick={() => {
              addingTo.value = place;
            }}
          >
            <Icon name="plus" />
          </button>
        ) : null}
      </header>
      {isAdding ? <QuickAdd store={store} project={project} column={column} onClose={close} isInline /> : null}
      <div class="cards" role="list" data-column={column.id} tabIndex={-1} aria-label={column.name}>
        {chunks.slice(0, chunkCount).map((chunk) => (
          <ChunkOfCards key={chunk.key} chunk={chunk} canChange={canChange} />
        ))}
      </div>
      {count === 0 && !isAdding ? (
        <p class="column-empty">
          {t(madeFrom.tasks.length > 0 ? "nothingFound" : isFirst && canChange ? "emptyBoardHint" : "emptyColumn")}
        </p>
      ) : null}
    </section>
  );
}

/** It reads a signal, too, for the same reason. The browser lays out and paints only chunks that are near the screen, and watches a hundred of them, not thousands of cards. */
function ChunkOfCards({ chunk, canChange }: { chunk: Chunk<CardItem>; canChange: boolean }): JSX.Element {
  const look = language.value;
  return (
    <div class="chunk" role="none" style={{ "--count": chunk.items.length }}>
      {chunk.items.map(({ task, done, all }) => (
        <Card key={task.id} task={task} done={done} all={all} canChange={canChange} look={look} onMove={openMove} />
      ))}
    </div>
  );
}
