/** Sign in, register, and the password that a link from the operator lets one set. */
import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { isSecure } from "../base.ts";
import { isForbidden } from "../kept-texts.ts";
import { leftBehind } from "../store/outbox.ts";
import { carried } from "../store/route.ts";
import { enter, farewell, Offline, Refusal, refusalOf, request } from "../sync/session.ts";
import { t } from "../text/language.ts";
import { faultTexts, refusalText } from "../text/refusals.ts";
import { Field, Icon } from "./parts.tsx";

const told = signal("");

/** A sentence for what went wrong. */
export function faultText(error: unknown): string {
  if (error instanceof Offline) return t("offlineTry");
  if (!(error instanceof Refusal)) return t("somethingWrong", { detail: String(error) });
  return faultTexts(error.problem)[0] ?? refusalText(error.problem);
}

/** What somebody must know who has just gone, or was made to. */
function Farewell(): JSX.Element | null {
  const one = farewell.value;
  if (one === undefined) return null;
  const n = leftBehind.value;
  return (
    <p class="notice" role="status">
      {t(one.kind === "ended" ? "sessionEnded" : "signOutUnheard")}
      {one.kind === "ended" && n > 0 ? ` ${t("sessionKept", { n, who: one.email })}` : ""}
    </p>
  );
}

export function SignIn(): JSX.Element {
  const [isNew, setNew] = useState(carried.join.value !== undefined);
  const isReset = carried.reset.value !== undefined;
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    const text = (name: string) => String(given.get(name) ?? "");
    setBusy(true);
    setFault("");
    try {
      if (isReset) {
        await reset(text("password"));
        told.value = t("resetDone");
        carried.reset.value = undefined;
      } else {
        const named = isNew && text("name").trim() !== "" ? { name: text("name").trim() } : {};
        await enter(isNew ? "register" : "login", { email: text("email"), password: text("password"), ...named });
        told.value = "";
      }
    } catch (error) {
      setFault(faultText(error));
    }
    setBusy(false);
  };
  const title = t(isReset ? "resetTitle" : isNew ? "registerTitle" : "signInTitle");
  return (
    <main class="entry">
      <form class="entry-card" onSubmit={(event) => void submit(event)}>
        <Brand />
        <h1>{title}</h1>
        <Farewell />
        {carried.join.value === undefined ? (
          farewell.value !== undefined && told.value === "" ? null : (
            <p class="muted">{told.value === "" ? t("tagline") : told.value}</p>
          )
        ) : (
          <p class="notice">{t("joinSignIn")}</p>
        )}
        {isReset ? null : (
          <>
            {isNew ? (
              <Field name={t("yourName")}>
                <input class="input" name="name" autocomplete="name" maxLength={200} />
              </Field>
            ) : null}
            <Field name={t("email")}>
              <input
                class="input"
                name="email"
                type="email"
                autocomplete="username"
                required
                maxLength={254}
                defaultValue={farewell.value?.kind === "ended" ? farewell.value.email : ""}
              />
            </Field>
          </>
        )}
        <Field
          name={t(isReset ? "newPassword" : "password")}
          {...(isNew || isReset ? { hint: t("passwordHint") } : {})}
        >
          <input
            class="input"
            name="password"
            type="password"
            autocomplete={isNew || isReset ? "new-password" : "current-password"}
            required
            minLength={isNew || isReset ? 8 : 1}
            maxLength={1024}
          />
        </Field>
        {fault === "" ? null : (
          <p class="fault" role="alert">
            {fault}
          </p>
        )}
        <button class="button primary wide" type="submit" disabled={isBusy}>
          {t(isReset ? "savePassword" : isNew ? "register" : "signIn")}
        </button>
        {isReset ? (
          <p class="entry-other">
            <button
              type="button"
              class="link"
              onClick={() => {
                carried.reset.value = undefined;
              }}
            >
              {t("cancel")}
            </button>
          </p>
        ) : (
          <p class="entry-other">
            {t(isNew ? "haveAccount" : "noAccount")}{" "}
            <button type="button" class="link" onClick={() => setNew(!isNew)}>
              {t(isNew ? "signIn" : "register")}
            </button>
          </p>
        )}
        {isForbidden ? <p class="muted small">{t("noCookies")}</p> : null}
        {isSecure ? null : <p class="muted small">{t("insecure")}</p>}
      </form>
    </main>
  );
}

async function reset(newPassword: string): Promise<void> {
  const answer = await request("POST", "/v1/auth/reset", {
    body: { resetToken: carried.reset.value, newPassword },
  });
  if (!answer.ok) throw await refusalOf(answer);
}

export function Brand(): JSX.Element {
  return (
    <span class="brand">
      <span class="brand-mark">
        <Icon name="check" />
      </span>
      {t("appName")}
    </span>
  );
}
