/** One task on a board. It is made anew only when its document is another one. */
import { Component, type JSX } from "preact";
import { isClosed, type Task, taskOf } from "../store/fields.ts";
import { show } from "../store/route.ts";
import { dueDay, dueText, nameOf, t, today } from "../text/language.ts";
import { Avatar, Icon, Label } from "./parts.tsx";
import { Tick } from "./tick.tsx";

type Props = {
  readonly task: Task;
  readonly done: number;
  readonly all: number;
  readonly canChange: boolean;
  /** Changes with the language and the names that have come in. */
  readonly look: string;
  readonly onMove: (task: Task) => void;
};

export class Card extends Component<Props> {
  /** A card that is made anew in another place keeps the focus. */
  override componentWillUnmount(): void {
    const { id } = this.props.task;
    if (!(document.activeElement instanceof HTMLElement) || document.activeElement.dataset.card !== id) return;
    // After all that is rendered at once, and before the next key.
    queueMicrotask(() => {
      if (document.activeElement === document.body)
        document.querySelector<HTMLElement>(`[data-card="${id}"]`)?.focus({ preventScroll: true });
    });
  }

  override shouldComponentUpdate(next: Props): boolean {
    const names = ["task", "done", "all", "canChange", "look"] as const;
    return names.some((name) => next[name] !== this.props[name]);
  }

  override render({ task, done, all, canChange, onMove }: Props): JSX.Element {
    const { title, labels, due, priority, assigneeIds } = taskOf(task);
    return (
      <div class={isClosed(task) ? "card closed" : "card"} role="listitem" data-id={task.id}>
        <Tick task={task} canChange={canChange} />
        <button type="button" class="card-main" data-card={task.id} onClick={() => show(task.spaceId, task.id)}>
          <span class="card-title">{title}</span>
          {priority === "none" &&
          due === null &&
          all === 0 &&
          assigneeIds.length === 0 &&
          labels.length === 0 ? null : (
            <span class="card-foot">
              {labels.map((label) => (
                <Label key={label} text={label} />
              ))}
              <Priority value={priority} />
              {due === null ? null : <DueChip due={due} isOver={isClosed(task)} />}
              {all === 0 ? null : (
                <span class="chip" title={t("subtasksOf", { done, n: all })}>
                  <Icon name="subtasks" />
                  <span aria-hidden="true">
                    {done}/{all}
                  </span>
                  <span class="unseen">{t("subtasksOf", { done, n: all })}</span>
                </span>
              )}
              <span class="avatars">
                {assigneeIds.slice(0, 4).map((id) => (
                  <Avatar key={id} id={id} />
                ))}
              </span>
            </span>
          )}
        </button>
        {canChange ? (
          <button
            type="button"
            class="icon-button card-more"
            tabIndex={-1}
            aria-label={`${t("moveTo")} ${title}`}
            title={t("moveTo")}
            onClick={() => onMove(task)}
          >
            <Icon name="more" />
          </button>
        ) : null}
      </div>
    );
  }
}

export function Priority({ value }: { value: string }): JSX.Element | null {
  if (value === "none") return null;
  return (
    <span class={`chip priority ${value}`}>
      <span class="bars" aria-hidden="true">
        <i />
        <i />
        <i />
      </span>
      {nameOf(value)}
    </span>
  );
}

export function DueChip({
  due,
  isOver,
}: {
  due: NonNullable<ReturnType<typeof taskOf>["due"]>;
  isOver: boolean;
}): JSX.Element {
  const [day, now] = [dueDay(due), today.value];
  const state = isOver ? "" : day < now ? "late" : day === now ? "soon" : "";
  return (
    <span class={`chip due ${state}`}>
      <Icon name="calendar" />
      {dueText(due)}
    </span>
  );
}
