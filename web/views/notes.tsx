/** What the user must know of the changes: whether all is saved, what was refused, and the way back from the latest one. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { type Entry, refused, waiting } from "../store/outbox.ts";
import { dismiss, type Overwritten, overwritten } from "../store/overwritten.ts";
import { nameOfUser } from "../store/people.ts";
import { change, discard, heldUp, isOnline, lastMade, retry, sendNow, undo } from "../sync/sending.ts";
import { lost, storeOf } from "../sync/spaces.ts";
import { t } from "../text/language.ts";
import { faultTexts, refusalText } from "../text/refusals.ts";
import { changeText, fieldName, isNamed, valueText } from "./history.tsx";
import { Icon } from "./parts.tsx";
import { canChangeIn } from "./permissions.ts";

const isNotesOpen = signal(true);
/** Something short that is told for a while. */
export const said = signal("");

export function SaveState(): JSX.Element {
  const n = waiting.value.length;
  const state = !isOnline.value ? "offline" : n > 0 ? "waiting" : "saved";
  const text =
    state === "offline"
      ? n > 0
        ? t("offlineWaiting", { n })
        : t("offline")
      : n > 0
        ? t("waiting", { n })
        : t("allSaved");
  return (
    <span class={`save-state ${state}`} role="status">
      <span class="dot" aria-hidden="true" />
      {text}
    </span>
  );
}

/** What was refused, and what was replaced, hold nothing up and ask for a decision. What the server does not take for now holds up what is behind it. */
export function Notes(): JSX.Element | null {
  const held = waiting.value.find(({ key }) => key === heldUp.value?.key);
  if (refused.value.length === 0 && overwritten.value.length === 0 && held === undefined) return null;
  return (
    <div class="notes">
      {held === undefined ? null : <HeldUp entry={held} />}
      <Refused />
      <Replaced />
    </div>
  );
}

function HeldUp({ entry }: { entry: Entry }): JSX.Element {
  const problem = heldUp.value?.problem;
  return (
    <section aria-label={t("heldUp")}>
      <ul>
        <li class="note">
          <strong class="clamp">{entry.about}</strong>
          <p role="status">{t("heldUp")}</p>
          {problem === undefined ? null : <p class="small muted">{refusalText(problem)}</p>}
          <div class="row">
            <button type="button" class="button small primary" onClick={sendNow}>
              {t("tryNow")}
            </button>
            <button type="button" class="button small" onClick={() => void discard(entry)}>
              {t("discard")}
            </button>
          </div>
        </li>
      </ul>
    </section>
  );
}

function Replaced(): JSX.Element | null {
  const all = overwritten.value;
  if (all.length === 0) return null;
  return (
    <section aria-label={t("overwrittenNotes")}>
      <ul>
        {all.map((each) => (
          <ReplacedNote key={`${each.id} ${each.field}`} one={each} />
        ))}
      </ul>
    </section>
  );
}

function ReplacedNote({ one }: { one: Overwritten }): JSX.Element {
  const { spaceId, type, id, field, lost: before, now, isLoser, actorId } = one;
  const store = storeOf(spaceId);
  const document = store.get(id);
  const about = String(document?.fields[type === "task" ? "title" : "name"] ?? "");
  const bringBack = () => {
    dismiss(one);
    if (document === undefined) return;
    change(spaceId, [{ type, id, kind: "patch", body: { [field]: before } }], {
      about,
      from: { [field]: now },
      message: t("restored", { about }),
    });
  };
  return (
    <li class="note">
      <strong class="clamp">{about}</strong>
      <p role="status">
        {t(isLoser ? "overwritten" : "overwrote", {
          name: nameOfUser(actorId),
          field: fieldName(field).toLowerCase(),
        })}
      </p>
      <dl class="compare">
        <div>
          <dt>{t("overwrittenBefore")}</dt>
          <dd>{valueText(store, field, before)}</dd>
        </div>
        <div>
          <dt>{t("overwrittenNow")}</dt>
          <dd>{valueText(store, field, now)}</dd>
        </div>
      </dl>
      <div class="row">
        {document === undefined || !canChangeIn(store) ? null : (
          <button type="button" class="button small primary" onClick={bringBack}>
            {t("bringBack")}
          </button>
        )}
        <button type="button" class="button small" onClick={() => dismiss(one)}>
          {t("dismiss")}
        </button>
      </div>
    </li>
  );
}

function Refused(): JSX.Element | null {
  const all = refused.value;
  if (all.length === 0) return null;
  return (
    <section aria-label={t("notes")}>
      <header class="notes-head">
        <Icon name="warning" />
        <h2>{t("notSaved", { n: all.length })}</h2>
        <button
          type="button"
          class="icon-button"
          aria-expanded={isNotesOpen.value}
          aria-label={t("notes")}
          onClick={() => {
            isNotesOpen.value = !isNotesOpen.value;
          }}
        >
          <Icon name="chevron" />
        </button>
      </header>
      {isNotesOpen.value ? (
        <ul>
          {all.map((entry) => (
            <Note key={entry.key} entry={entry} />
          ))}
        </ul>
      ) : null}
    </section>
  );
}

function Note({ entry }: { entry: Entry }): JSX.Element {
  const { problem, about } = entry;
  const compared = problem?.code === "version-mismatch" ? comparison(entry) : undefined;
  const isConflict = compared !== undefined;
  return (
    <li class="note">
      <strong class="clamp">{about}</strong>
      <p role="alert">{isConflict ? t("changedMeanwhile") : problem === undefined ? "" : refusalText(problem)}</p>
      {(problem === undefined ? [] : faultTexts(problem)).map((text) => (
        <p key={text} class="small muted">
          {text}
        </p>
      ))}
      {compared === undefined ? (
        <What entry={entry} />
      ) : (
        <dl class="compare">
          <div>
            <dt>{t("theirs")}</dt>
            <dd>{compared.theirs}</dd>
          </div>
          <div>
            <dt>{t("yours")}</dt>
            <dd>{compared.yours}</dd>
          </div>
        </dl>
      )}
      <div class="row">
        <button type="button" class="button small primary" onClick={() => void retry(entry)}>
          {t(isConflict ? "useMine" : "retry")}
        </button>
        <button type="button" class="button small" onClick={() => void discard(entry)}>
          {t(isConflict ? "keepTheirs" : "discard")}
        </button>
      </div>
    </li>
  );
}

/** What the change was to set: somebody who discards it may want to copy a text first. */
function What({ entry: { request, spaceId } }: { entry: Entry }): JSX.Element | null {
  const store = storeOf(spaceId);
  const changes = request.kind === "batch" ? request.changes : [];
  const set = changes.flatMap(({ kind, body = {} }) =>
    Object.entries(body)
      // The title of a new task stands above.
      .filter(([name]) => isNamed(name) && !(kind === "create" && ["title", "name"].includes(name)))
      .map(([name, value]) => ({ name, text: changeText(store, name, value) })),
  );
  if (set.length === 0) return null;
  return (
    <dl class="compare">
      {set.map(({ name, text }, place) => (
        <div key={`${place} ${name}`}>
          <dt>{fieldName(name)}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What the one field of a refused patch is now, and what it was to be. */
function comparison({ request, spaceId }: Entry): { theirs: string; yours: string } | undefined {
  const [change] = request.kind === "batch" ? request.changes : [];
  const [field] = Object.entries(change?.body ?? {});
  if (change?.kind !== "patch" || field === undefined || field[0] === "columns" || field[0] === "position")
    return undefined;
  const store = storeOf(spaceId);
  const now = store.onServer(change.id);
  if (now === undefined) return undefined;
  const [name, value] = field;
  if (typeof value === "object" && value !== null) return undefined;
  return { theirs: valueText(store, name, now.fields[name] ?? null), yours: valueText(store, name, value) };
}

export function Toast(): JSX.Element | null {
  const made = lastMade.value;
  useEffect(() => {
    if (made === undefined) return;
    const timer = setTimeout(() => {
      if (lastMade.value === made) lastMade.value = undefined;
    }, made.untilMs - Date.now());
    return () => clearTimeout(timer);
  }, [made]);
  useEffect(() => {
    if (said.value === "") return;
    const timer = setTimeout(() => {
      said.value = "";
    }, 4_000);
    return () => clearTimeout(timer);
  }, [said.value]);
  const text = made?.message ?? said.value;
  if (lost.value.length > 0)
    return (
      <div class="toast" role="status">
        <span class="clamp">{t("spaceLost")}</span>
        <button
          type="button"
          class="toast-button"
          onClick={() => {
            lost.value = [];
          }}
        >
          {t("close")}
        </button>
      </div>
    );
  if (text === "") return null;
  return (
    <div class="toast" role="status">
      <span class="clamp">{text}</span>
      {made === undefined ? null : (
        <button type="button" class="toast-button" onClick={() => void takeBack(made.key)}>
          <Icon name="undo" />
          {t("undo")}
        </button>
      )}
    </div>
  );
}

export async function takeBack(key?: string): Promise<void> {
  said.value = t((await undo(key)) ? "undone" : "nothingToUndo");
}
