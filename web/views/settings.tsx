/** Settings: how the page looks, the account, its sessions and API tokens, deleted spaces. */
import type { JSX } from "preact";
import { call } from "../sync/session.ts";
import { listSpaces } from "../sync/spaces.ts";
import { browserName } from "../text/browser-name.ts";
import { choose, type Language, language, languages, momentText, t } from "../text/language.ts";
import { Account, Erasure, Password } from "./account.tsx";
import { Told, useAttempt, useList } from "./attempt.tsx";
import { Field } from "./parts.tsx";
import { signOutEverywhere } from "./shell.tsx";
import { chooseTheme, theme, themes } from "./theme.ts";
import { Tokens } from "./tokens.tsx";

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
      <Erasure />
    </div>
  );
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
  const { attempt, ...outcome } = useAttempt();
  const end = (id: string) =>
    attempt(async () => {
      await call("DELETE", `/v1/auth/sessions/${id}`).finally(again);
      return "";
    });
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
              <button type="button" class="button small ghosted danger" onClick={() => end(id)}>
                {t("endSession")}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Told {...outcome} />
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
