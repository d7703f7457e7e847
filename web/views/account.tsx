/** The account: its name, e-mail address and password, and its end. */
import type { JSX } from "preact";
import { clearAll } from "../store/database.ts";
import { go } from "../store/route.ts";
import { call, endHere, rename, type User, user } from "../sync/session.ts";
import { t } from "../text/language.ts";
import { Told, useForm } from "./attempt.tsx";
import { Field } from "./parts.tsx";

export function Account(): JSX.Element {
  const { onSubmit, outcome } = useForm(async ({ text }) => {
    const name = text("name").trim();
    const answer = await call("PATCH", "/v1/auth/me", { body: { name: name === "" ? null : name } });
    rename((await answer.json()) as User);
    return t("saved");
  });
  return (
    <section class="block">
      <h2>{t("account")}</h2>
      <form class="form-row" onSubmit={onSubmit}>
        <Field name={t("name")}>
          <input class="input" name="name" autocomplete="name" maxLength={200} defaultValue={user.value?.name ?? ""} />
        </Field>
        <button type="submit" class="button">
          {t("changeName")}
        </button>
      </form>
      <Told {...outcome} />
      <Email />
    </section>
  );
}

function Email(): JSX.Element {
  const { onSubmit, outcome } = useForm(async ({ text, reset }) => {
    const body = { email: text("email"), currentPassword: text("current") };
    const answer = await call("PATCH", "/v1/auth/me", { body });
    rename((await answer.json()) as User);
    reset();
    return t("saved");
  });
  return (
    <>
      <form class="form-row" onSubmit={onSubmit}>
        <Field name={t("email")}>
          <input
            class="input"
            key={user.value?.email}
            name="email"
            type="email"
            autocomplete="username"
            required
            maxLength={254}
            defaultValue={user.value?.email ?? ""}
          />
        </Field>
        <CurrentPassword />
        <button type="submit" class="button">
          {t("changeEmail")}
        </button>
      </form>
      <Told {...outcome} />
    </>
  );
}

function CurrentPassword(): JSX.Element {
  return (
    <Field name={t("currentPassword")}>
      <input class="input" name="current" type="password" autocomplete="current-password" required maxLength={1024} />
    </Field>
  );
}

/** For ever: what it takes along is said, and the password is asked for. */
export function Erasure(): JSX.Element {
  const { onSubmit, outcome } = useForm(
    async ({ text }) => {
      await call("DELETE", "/v1/auth/me", { body: { currentPassword: text("current") } });
      endHere();
      await clearAll();
      go([]);
      return "";
    },
    { isSure: () => confirm(t("deleteAccountSure")) },
  );
  return (
    <section class="block">
      <h2>{t("deleteAccount")}</h2>
      <p class="muted">{t("deleteAccountHint")}</p>
      <form class="form-row" onSubmit={onSubmit}>
        <CurrentPassword />
        <button type="submit" class="button danger">
          {t("deleteAccount")}
        </button>
      </form>
      <Told {...outcome} />
    </section>
  );
}

export function Password(): JSX.Element {
  const { onSubmit, outcome } = useForm(async ({ text, reset }) => {
    await call("POST", "/v1/auth/password", {
      body: { currentPassword: text("current"), newPassword: text("new") },
    });
    reset();
    return t("passwordChanged");
  });
  return (
    <section class="block">
      <h2>{t("changePassword")}</h2>
      <form class="form-row" onSubmit={onSubmit}>
        <input
          class="unseen"
          type="text"
          autocomplete="username"
          value={user.value?.email ?? ""}
          readOnly
          tabIndex={-1}
          aria-label={t("email")}
        />
        <CurrentPassword />
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
