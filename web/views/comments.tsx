/** What people say about a task, live. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { nameOfUser } from "../store/people.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { newId, type Task, taskOf } from "../store/tasks.ts";
import { change } from "../sync/sending.ts";
import { user } from "../sync/session.ts";
import { readComments } from "../sync/spaces.ts";
import { momentText, t } from "../text/language.ts";
import { Markdown } from "../text/markdown.tsx";
import { deleteComment } from "./panel.tsx";
import { Avatar, Icon, Menu } from "./parts.tsx";
import { canChangeIn, canManage } from "./permissions.ts";

export function Comments({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  const [text, setText] = useState("");
  useEffect(() => {
    readComments(store.id, task.id).catch(() => undefined);
  }, [store.id, task.id]);
  const comments = store
    .all("comment")
    .filter(({ fields }) => fields.taskId === task.id)
    .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  const send = (event?: Event) => {
    event?.preventDefault();
    if (text.trim() === "") return;
    change(store.id, [{ type: "comment", id: newId(), kind: "create", body: { taskId: task.id, body: text } }], {
      about: taskOf(task).title,
    });
    setText("");
  };
  return (
    <>
      <ul class="comments">
        {comments.map((comment) => (
          <li key={comment.id} class="comment">
            <Avatar id={comment.creatorId} />
            <div class="comment-body">
              <p class="comment-head">
                <strong>{nameOfUser(comment.creatorId)}</strong>
                <time class="muted small" dateTime={comment.createdAt}>
                  {momentText(comment.createdAt)}
                </time>
                <span class="spacer" />
                {comment.creatorId === user.value?.id || canManage(store) ? (
                  <Menu
                    name={t("more")}
                    items={[
                      {
                        name: t("delete"),
                        isDanger: true,
                        act: () => deleteComment(store.id, comment.id, taskOf(task).title),
                      },
                    ]}
                  >
                    <Icon name="more" />
                  </Menu>
                ) : null}
              </p>
              <Markdown text={comment.fields.body as string} />
            </div>
          </li>
        ))}
      </ul>
      {canChangeIn(store) ? (
        <form class="comment-form" onSubmit={send}>
          <textarea
            class="input"
            rows={2}
            aria-label={t("addComment")}
            placeholder={t("addComment")}
            maxLength={20_000}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
            }}
          />
          <button class="button primary small" type="submit" disabled={text.trim() === ""}>
            {t("sendComment")}
          </button>
        </form>
      ) : null}
    </>
  );
}
