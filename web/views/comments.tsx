/** What people say about a task, live. */
import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Document } from "../../actors/resources/document.ts";
import { type Task, taskOf } from "../store/fields.ts";
import { nameOfUser } from "../store/people.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { newId } from "../store/tasks.ts";
import { surely } from "../sync/again.ts";
import { readComments } from "../sync/reading.ts";
import { change } from "../sync/sending.ts";
import { user } from "../sync/session.ts";
import { momentText, t } from "../text/language.ts";
import { Markdown } from "../text/markdown.tsx";
import { Avatar, Icon, Menu } from "./parts.tsx";
import { canChangeIn, canManage } from "./permissions.ts";

export function Comments({ task, store }: { task: Task; store: SpaceStore }): JSX.Element {
  const [text, setText] = useState("");
  useEffect(() => {
    const ended = new AbortController();
    void surely(() => readComments(store.id, task.id), ended.signal);
    return () => ended.abort();
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
      {comments.length === 0 ? <p class="muted none-yet">{t("noComments")}</p> : null}
      <ul class="comments">
        {comments.map((comment) => (
          <Comment key={comment.id} comment={comment} task={task} store={store} />
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

type CommentProps = { readonly comment: Document; readonly task: Task; readonly store: SpaceStore };

function Comment({ comment, task, store }: CommentProps): JSX.Element {
  const [draft, setDraft] = useState<string | undefined>(undefined);
  const area = useRef<HTMLTextAreaElement>(null);
  const body = comment.fields.body as string;
  const about = taskOf(task).title;
  const isOwn = comment.creatorId === user.value?.id && canChangeIn(store);
  const remove = () =>
    change(store.id, [{ type: "comment", id: comment.id, kind: "delete" }], { about, message: t("commentDeleted") });
  const keep = () => {
    if (draft !== undefined && draft.trim() !== "" && draft !== body)
      change(store.id, [{ type: "comment", id: comment.id, kind: "patch", body: { body: draft } }], {
        about,
        from: { body },
        message: t("commentChanged"),
      });
    setDraft(undefined);
  };
  const edit = () => {
    setDraft(body);
    requestAnimationFrame(() => area.current?.focus());
  };
  return (
    <li class="comment">
      <Avatar id={comment.creatorId} />
      <div class="comment-body">
        <p class="comment-head">
          <strong>{nameOfUser(comment.creatorId)}</strong>
          <time class="muted small" dateTime={comment.createdAt}>
            {momentText(comment.createdAt)}
          </time>
          {comment.updatedAt === comment.createdAt ? null : <span class="muted small">({t("edited")})</span>}
          <span class="spacer" />
          {isOwn || canManage(store) ? (
            <Menu
              name={t("more")}
              items={[
                ...(isOwn ? [{ name: t("editComment"), act: edit }] : []),
                { name: t("delete"), isDanger: true, act: remove },
              ]}
            >
              <Icon name="more" />
            </Menu>
          ) : null}
        </p>
        {draft === undefined ? (
          <Markdown text={body} />
        ) : (
          <CommentEditor
            draft={draft}
            area={area}
            onInput={setDraft}
            onKeep={keep}
            onClose={() => setDraft(undefined)}
          />
        )}
      </div>
    </li>
  );
}

type EditorProps = {
  readonly draft: string;
  readonly area: RefObject<HTMLTextAreaElement>;
  readonly onInput: (text: string) => void;
  readonly onKeep: () => void;
  readonly onClose: () => void;
};

function CommentEditor({ draft, area, onInput, onKeep, onClose }: EditorProps): JSX.Element {
  return (
    <>
      <textarea
        ref={area}
        class="input area"
        aria-label={t("editComment")}
        rows={3}
        maxLength={20_000}
        value={draft}
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) onKeep();
          if (event.key !== "Escape") return;
          event.preventDefault();
          event.stopPropagation();
          onClose();
        }}
      />
      <div class="row">
        <button type="button" class="button primary small" onClick={onKeep} disabled={draft.trim() === ""}>
          {t("save")}
        </button>
        <button type="button" class="button small" onClick={onClose}>
          {t("cancel")}
        </button>
      </div>
    </>
  );
}
