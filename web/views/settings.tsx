/** The account: name, password, sessions, API tokens; how the page looks. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { call, getJson, rename, type User, user } from "../sync/session.ts";
import { listSpaces } from "../sync/spaces.ts";
import { browserName } from "../text/browser-name.ts";
import { choose, format, type Language, language, languages, momentText, t } from "../text/language.ts";
import { Secret } from "./members.tsx";
import { Field } from "./parts.tsx";
import { signOutEverywhere } from "./shell.tsx";
import { faultText } from "./sign-in.tsx";
import { chooseTheme, theme, themes } from "./theme.ts";

export function Settings(): JSX.Element {
  return (
    <div class="page">
      <Account />
      <Password />
      <section class="block">
        <h2>{t("appearance")}</h2>
        <div class="form-row">
          <Field name={t("theme")}>
            <select
              class="select"
              value={theme.value}
              onChange={(event) => chooseTheme(event.currentTarget.value as typeof theme.value)}
            >
              {themes.map((each) => (
                <option key={each} value={each}>
                  {t(({ system: "themeSystem", light: "themeLight", dark: "themeDark" } as const)[each])}
                </option>
              ))}
            </select>
          </Field>
          <Field name={t("language")}>
            <select
              class="select"
              value={language.value}
              onChange={(event) => choose(event.currentTarget.value as Language)}
            >
              {Object.entries(languages).map(([each, name]) => (
                <option key={each} value={each}>
                  {name}
                </option>
              ))}
            </select>
          </Field>
        </div>
      </section>
      <Sessions />
      <Tokens />
      <DeletedSpaces />
    </div>
  );
}

/** A form whose outcome is told below it. */
function useAttempt(): { told: string; isFault: boolean; attempt: (work: () => Promise<string>) => void } {
  const [told, setTold] = useState<{ text: string; isFault: boolean }>({ text: "", isFault: false });
  const attempt = (work: () => Promise<string>) => {
    work().then(
      (text) => setTold({ text, isFault: false }),
      (error) => setTold({ text: faultText(error), isFault: true }),
    );
  };
  return { told: told.text, isFault: told.isFault, attempt };
}

function Told({ told, isFault }: { told: string; isFault: boolean }): JSX.Element | null {
  if (told === "") return null;
  return (
    <p class={isFault ? "fault" : "notice"} role={isFault ? "alert" : "status"}>
      {told}
    </p>
  );
}

function Account(): JSX.Element {
  const { attempt, ...outcome } = useAttempt();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const name = String(new FormData(event.target as HTMLFormElement).get("name")).trim();
    attempt(async () => {
      const answer = await call("PATCH", "/v1/auth/me", { body: { name: name === "" ? null : name } });
      rename((await answer.json()) as User);
      return t("saved");
    });
  };
  return (
    <section class="block">
      <h2>{t("account")}</h2>
      <p class="muted">{user.value?.email}</p>
      <form class="form-row" onSubmit={submit}>
        <Field name={t("name")}>
          <input class="input" name="name" autocomplete="name" maxLength={200} defaultValue={user.value?.name ?? ""} />
        </Field>
        <button type="submit" class="button">
          {t("changeName")}
        </button>
      </form>
      <Told {...outcome} />
    </section>
  );
}

function Password(): JSX.Element {
  const { attempt, ...outcome } = useAttempt();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const given = new FormData(form);
    attempt(async () => {
      const body = { currentPassword: String(given.get("current")), newPassword: String(given.get("new")) };
      await call("POST", "/v1/auth/password", { body });
      form.reset();
      return t("passwordChanged");
    });
  };
  return (
    <section class="block">
      <h2>{t("changePassword")}</h2>
      <form class="form-row" onSubmit={submit}>
        <input
          class="unseen"
          type="text"
          autocomplete="username"
          value={user.value?.email ?? ""}
          readOnly
          tabIndex={-1}
          aria-label={t("email")}
        />
        <Field name={t("currentPassword")}>
          <input
            class="input"
            name="current"
            type="password"
            autocomplete="current-password"
            required
            maxLength={1024}
          />
        </Field>
        <Field name={t("newPassword")}>
          <input
            class="input"
            name="new"
            type="password"
            autocomplete="new-password"
            required
            minLength={8}
            maxLength={1024}
          />
        </Field>
        <button type="submit" class="button">
          {t("changePassword")}
        </button>
      </form>
      <Told {...outcome} />
    </section>
  );
}

/** What the server lists at this path; `again` reads it anew. */
function useList<Item>(path: string): { items: readonly Item[]; again: () => void } {
  const [items, setItems] = useState<readonly Item[]>([]);
  const again = () => {
    getJson<{ items: Item[] }>(path).then(
      (page) => setItems(page.items),
      () => undefined,
    );
  };
  useEffect(again, [path]);
  return { items, again };
}

type Session = {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly userAgent: string | null;
  readonly current: boolean;
};

function Sessions(): JSX.Element {
  const { items, again } = useList<Session>("/v1/auth/sessions");
  return (
    <section class="block">
      <h2>{t("sessions")}</h2>
      <ul class="rows people-rows">
        {items.map(({ id, lastUsedAt, userAgent, current }) => (
          <li class="person-row" key={id}>
            <span class="person-name clamp" title={userAgent ?? ""}>
              {browserName(userAgent) ?? t("unknownBrowser")}
            </span>
            <span class="muted small">{current ? t("thisSession") : momentText(lastUsedAt)}</span>
            {current ? null : (
              <button
                type="button"
                class="button small ghosted danger"
                onClick={() => void call("DELETE", `/v1/auth/sessions/${id}`).then(again, again)}
              >
                {t("endSession")}
              </button>
            )}
          </li>
        ))}
      </ul>
      {items.length < 2 ? null : (
        <div>
          <button type="button" class="button" onClick={() => void signOutEverywhere()}>
            {t("signOutEverywhere")}
          </button>
        </div>
      )}
    </section>
  );
}

type DeletedSpace = { readonly space: { readonly id: string; readonly name: string } };

/** Spaces that their owner deleted: only owners see them. */
function DeletedSpaces(): JSX.Element | null {
  const { items, again } = useList<DeletedSpace>("/v1/spaces?deleted=true");
  const { attempt, ...outcome } = useAttempt();
  if (items.length === 0) return null;
  const restore = (id: string) =>
    attempt(async () => {
      await call("POST", `/v1/spaces/${id}/restore`);
      await listSpaces();
      again();
      return "";
    });
  return (
    <section class="block">
      <h2>{t("deletedSpaces")}</h2>
      <ul class="rows people-rows">
        {items.map(({ space: { id, name } }) => (
          <li class="person-row" key={id}>
            <span class="person-name clamp">{name}</span>
            <button type="button" class="button small" onClick={() => restore(id)}>
              {t("restoreSpace")}
            </button>
          </li>
        ))}
      </ul>
      <Told {...outcome} />
    </section>
  );
}

type Token = { readonly id: string; readonly name: string; readonly createdAt: string };

function Tokens(): JSX.Element {
  const { items, again } = useList<Token>("/v1/auth/tokens");
  const [secret, setSecret] = useState("");
  const { attempt, ...outcome } = useAttempt();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    attempt(async () => {
      const answer = await call("POST", "/v1/auth/tokens", { body: { name: String(new FormData(form).get("name")) } });
      setSecret(((await answer.json()) as { token: string }).token);
      form.reset();
      again();
      return "";
    });
  };
  return (
    <section class="block">
      <h2>{t("tokens")}</h2>
      {items.length === 0 ? <p class="muted">{t("noTokens")}</p> : null}
      <ul class="rows people-rows">
        {items.map(({ id, name, createdAt }) => (
          <li class="person-row" key={id}>
            <span class="person-name">{name}</span>
            <span class="muted small">
              {format(new Date(createdAt), { day: "numeric", month: "short", year: "numeric" })}
            </span>
            <button
              type="button"
              class="button small ghosted danger"
              onClick={() => void call("DELETE", `/v1/auth/tokens/${id}`).then(again, again)}
            >
              {t("deleteToken")}
            </button>
          </li>
        ))}
      </ul>
      <form class="form-row" onSubmit={submit}>
        <Field name={t("tokenName")}>
          <input class="input" name="name" required maxLength={200} />
        </Field>
        <button type="submit" class="button">
          {t("newToken")}
        </button>
      </form>
      <Told {...outcome} />
      {secret === "" ? null : <Secret text={secret} hint={t("tokenOnce")} name={t("newToken")} />}
    </section>
  );
}
