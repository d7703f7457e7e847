/** A task from one line of text. What was understood is shown before it is saved. */
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Document } from "../../actors/resources/document.ts";
import type { Column } from "../../actors/resources/project.ts";
import { membersOf } from "../store/people.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { createTask } from "../store/tasks.ts";
import { t } from "../text/language.ts";
import { loadDates, type Parsed, parseTask } from "../text/quick-add.ts";
import { DueChip, Priority } from "./card.tsx";
import { Avatar, Label } from "./parts.tsx";

const datesTimeoutMs = 2_000;

type Props = {
  store: SpaceStore;
  project: Document | undefined;
  column?: Column;
  parentId?: string;
  onClose: () => void;
  isInline?: boolean;
};

export function QuickAdd({ store, project, column, parentId, onClose, isInline = false }: Props): JSX.Element {
  const [text, setText] = useState("");
  const [areDatesHere, setDates] = useState(false);
  useEffect(() => {
    loadDates().then(
      () => setDates(true),
      () => undefined,
    );
  }, []);
  const parsed = useMemo(() => parseTask(text, membersOf(store)), [text, areDatesHere]);
  const { title, labels, priority, assigneeIds, due } = parsed;
  const create = ({ title, labels, priority, assigneeIds, due }: Parsed) =>
    createTask(store.id, {
      title,
      ...(labels.length > 0 ? { labels } : {}),
      ...(priority === undefined ? {} : { priority }),
      ...(assigneeIds.length > 0 ? { assigneeIds } : {}),
      ...(due === undefined ? {} : { due }),
      ...(project === undefined ? {} : { projectId: project.id }),
      ...(parentId === undefined ? {} : { parentId }),
      ...(column === undefined ? {} : project === undefined ? { status: column.status } : { columnId: column.id }),
    });
  const submit = (event: Event) => {
    event.preventDefault();
    if (title.trim() === "") return onClose();
    if (areDatesHere) create(parsed);
    // Somebody writes faster than the dates come: without them a day would be a part of the title.
    else void datesOrLate().then(() => create(parseTask(text, membersOf(store))));
    setText("");
    if (!isInline) onClose();
  };
  const hasChips = labels.length > 0 || priority !== undefined || assigneeIds.length > 0 || due !== undefined;
  return (
    <form
      class={isInline ? "quick-add inline" : "quick-add"}
      onSubmit={submit}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        event.stopPropagation();
        onClose();
      }}
    >
      <input
        class="input"
        ref={focusOnce}
        data-first
        aria-label={t("quickAdd")}
        placeholder={t("quickAdd")}
        value={text}
        maxLength={600}
        autocomplete="off"
        onInput={(event) => setText(event.currentTarget.value)}
        onBlur={(event) => {
          const to = event.relatedTarget as Node | null;
          if (isInline && text.trim() === "" && !event.currentTarget.form?.contains(to)) onClose();
        }}
      />
      <div class="quick-add-foot">
        {hasChips ? (
          <span class="chips" aria-live="polite">
            {due === undefined ? null : <DueChip due={due} isOver={false} />}
            <Priority value={priority ?? "none"} />
            {labels.map((label) => (
              <Label key={label} text={label} />
            ))}
            {assigneeIds.map((id) => (
              <Avatar key={id} id={id} />
            ))}
          </span>
        ) : (
          <span class="muted small">{t("quickAddHint")}</span>
        )}
        <button class="button primary small" type="submit">
          {t("create")}
        </button>
      </div>
    </form>
  );
}

function datesOrLate(): Promise<unknown> {
  const late = new Promise((resolve) => setTimeout(resolve, datesTimeoutMs));
  return Promise.race([loadDates().catch(() => undefined), late]);
}

const focused = new WeakSet<Element>();
function focusOnce(input: HTMLInputElement | null): void {
  if (input === null || focused.has(input)) return;
  focused.add(input);
  input.focus();
}
