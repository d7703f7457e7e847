/** Small parts that all views are made of: icons, avatars, dialogs, menus, fields. */
import { type ComponentChildren, Fragment, type JSX } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { nameOfUser } from "../store/people.ts";
import { t } from "../text/language.ts";

const paths = {
  plus: "M8 3v10M3 8h10",
  check: "M3.5 8.5l3 3 6-7",
  close: "M4 4l8 8M12 4l-8 8",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM14 14l-3.5-3.5",
  day: "M8 4.5V8l2.5 1.5M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12z",
  board: "M2.5 3h3v10h-3zM6.5 3h3v7h-3zM10.5 3h3v5h-3z",
  list: "M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4h.01M2.5 8h.01M2.5 12h.01",
  people:
    "M6 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5c0-2.5 2-4 4.5-4s4.5 1.5 4.5 4M11 3.3a2.3 2.3 0 0 1 0 4.4M12 9.8c1.5.5 2.5 1.7 2.5 3.7",
  trash: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9",
  settings:
    "M8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 1.5v2M8 12.5v2M1.5 8h2M12.5 8h2M3.4 3.4l1.4 1.4M11.2 11.2l1.4 1.4M12.6 3.4l-1.4 1.4M4.8 11.2l-1.4 1.4",
  menu: "M2.5 4h11M2.5 8h11M2.5 12h11",
  chevron: "M4.5 6.5L8 10l3.5-3.5",
  inbox: "M2.5 9.5l2-6h7l2 6v3.5h-11zM2.5 9.5h3l1 1.5h3l1-1.5h3",
  calendar: "M2.5 4h11v9.5h-11zM2.5 7h11M5.5 2.5v2.5M10.5 2.5v2.5",
  comment: "M2.5 3.5h11v7.5h-6l-3 2.5v-2.5h-2z",
  subtasks: "M3 3v7.5h4M3 6h4M9 4.5h4v3H9zM9 9h4v3H9z",
  undo: "M5.5 3L2.5 6l3 3M2.5 6h7a4 4 0 0 1 0 8H6",
  cloud: "M4.5 12.5a3 3 0 0 1 0-6 4 4 0 0 1 7.7 1.2 2.4 2.4 0 0 1-.7 4.8z",
  link: "M6.5 9.5l3-3M7 4.5l1.5-1.5a3 3 0 0 1 4.5 4.5L11.5 9M9 11.5L7.5 13A3 3 0 0 1 3 8.500L4.5 7",
  arrow: "M3 8h10M9 4l4 4-4 4",
  history: "M2.5 8a5.500 5.500 0 1 0 1.700-4M2.500 2.500v2.500h2.500M8 5v3l2 1.500",
  warning: "M8 2.500l6 10.500H2zM8 6.500v3M8 11.400h.01",
} as const;
export type IconName = keyof typeof paths;

export function Icon({ name }: { name: IconName }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

/** The same colour for the same text, everywhere. */
function hueOf(text: string): number {
  let sum = 7;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 360_000;
  return Math.round((sum % 12) * 30);
}

export function Avatar({ id }: { id: string }): JSX.Element {
  const name = nameOfUser(id);
  const letters = name
    .split(/\s+/)
    .slice(0, 2)
    .map((word) => [...word][0] ?? "")
    .join("")
    .toUpperCase();
  return (
    <span
      class="avatar"
      title={name}
      role="img"
      aria-label={name}
      data-letters={letters}
      style={{ "--hue": hueOf(id) }}
    ></span>
  );
}

export function Label({ text }: { text: string }): JSX.Element {
  return (
    <span class="label" style={{ "--hue": hueOf(text) }}>
      {text}
    </span>
  );
}

export function Empty({
  icon,
  title,
  hint,
  children,
}: {
  icon: IconName;
  title: string;
  hint: string;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      <p>{hint}</p>
      {children}
    </div>
  );
}

/** The platform's own modal dialog: it keeps the focus, gives it back, and closes on Escape. */
export function Dialog({
  title,
  onClose,
  children,
  kind = "",
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  kind?: string;
}): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  // Before the next key: what is typed at once belongs in the dialog.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    dialog.current?.querySelector<HTMLElement>("[data-first]")?.focus();
    return () => (before as HTMLElement | null)?.focus?.();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${kind}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) onClose();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-header">
          <h2 id={heading}>{title}</h2>
          <button type="button" class="icon-button" aria-label={t("close")} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export type MenuItem = {
  readonly name: string;
  readonly act: () => void;
  readonly isDanger?: boolean;
  readonly isChosen?: boolean;
  /** A line stands above it. */
  readonly isApart?: boolean;
};

/** A button that opens a list of commands; arrows, Home, End and Escape work in it. */
export function Menu({
  name,
  items,
  children,
  kind = "icon-button",
}: {
  name: string;
  items: readonly MenuItem[];
  children: ComponentChildren;
  kind?: string;
}): JSX.Element {
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLSpanElement>(null);
  // What can be read on it is part of its name.
  const hasText = kind !== "icon-button";
  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const away = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", away);
    return () => removeEventListener("pointerdown", away);
  }, [isOpen]);
  const close = () => {
    setOpen(false);
    root.current?.querySelector<HTMLElement>("button")?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (!isOpen) return;
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") close();
    else moveFocus(event, root.current, "[role=menuitem]");
  };
  return (
    <span class="menu" ref={root} onKeyDown={onKeyDown}>
      <button
        type="button"
        class={kind}
        aria-label={hasText ? undefined : name}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        title={name}
        onClick={() => setOpen(!isOpen)}
      >
        {hasText ? <span class="unseen">{name}: </span> : null}
        {children}
      </button>
      {isOpen ? (
        <div class="menu-list" role="menu" aria-label={name}>
          {items.map((item, place) => (
            <Fragment key={`${place} ${item.name}`}>
              {item.isApart ? <hr class="menu-rule" /> : null}
              <button
                type="button"
                role="menuitem"
                tabIndex={-1}
                class={item.isDanger ? "menu-item danger" : "menu-item"}
                onClick={() => {
                  close();
                  item.act();
                }}
              >
                {item.name}
                {item.isChosen ? <Icon name="check" /> : null}
              </button>
            </Fragment>
          ))}
        </div>
      ) : null}
    </span>
  );
}

/** Arrow keys among the elements of a list. */
function moveFocus(event: KeyboardEvent, within: Element | null, selector: string): void {
  const all = [...(within?.querySelectorAll<HTMLElement>(selector) ?? [])];
  const at = all.indexOf(document.activeElement as HTMLElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || all.length === 0) return;
  event.preventDefault();
  all[(to + all.length) % all.length]?.focus();
}

export function Field({
  name,
  hint,
  children,
}: {
  name: string;
  hint?: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <label class="field">
      <span class="field-name">{name}</span>
      {children}
      {hint === undefined ? null : <span class="field-hint">{hint}</span>}
    </label>
  );
}

/** A text that is kept when the field is left or Enter is pressed, and is not changed under the hands of who types. */
export function TextField({
  value,
  name,
  onKeep,
  kind = "input",
  isMultiline = false,
  canBeEmpty = false,
  disabled = false,
}: {
  value: string;
  name: string;
  onKeep: (text: string) => void;
  kind?: string;
  isMultiline?: boolean;
  canBeEmpty?: boolean;
  disabled?: boolean;
}): JSX.Element {
  const [draft, setDraft] = useState<string | undefined>(undefined);
  const keep = () => {
    if (draft !== undefined && draft !== value && (canBeEmpty || draft.trim() !== "")) onKeep(draft);
    setDraft(undefined);
  };
  const common = {
    class: kind,
    "aria-label": name,
    disabled,
    value: draft ?? value,
    onInput: (event: Event) => setDraft((event.target as HTMLInputElement).value),
    onBlur: keep,
    onKeyDown: (event: KeyboardEvent) => {
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault();
        (event.target as HTMLElement).blur();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        setDraft(undefined);
        (event.target as HTMLInputElement).value = value;
        (event.target as HTMLElement).blur();
      }
    },
  };
  return isMultiline ? <textarea rows={1} {...common} /> : <input type="text" {...common} />;
}

/** Told to who cannot see: what just happened. */
export function announce(text: string): void {
  const region = document.getElementById("announcements");
  if (region !== null) region.textContent = text;
}
