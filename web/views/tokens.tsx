/** API tokens: secrets for programs, each with what it may do and how long. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call } from "../sync/session.ts";
import { addDays, dayOf, format, type Key, t } from "../text/language.ts";
import { Told, useAttempt, useForm, useList } from "./attempt.tsx";
import { Secret } from "./members.tsx";
import { Field } from "./parts.tsx";

type Token = {
  readonly id: string;
  readonly name: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly scopes: readonly string[];
};
const scopes: readonly (readonly [name: string, text: Key])[] = [
  ["tasks:read", "scopeRead"],
  ["tasks:write", "scopeWrite"],
  ["spaces:admin", "scopeAdmin"],
];
/** What a token may do unless it is told. */
const scopesByDefault = ["tasks:read", "tasks:write"];

const day = (instant: string) => format(new Date(instant), { day: "numeric", month: "short", year: "numeric" });
const scopeText = (names: readonly string[]) =>
  scopes.flatMap(([name, text]) => (names.includes(name) ? [t(text)] : [])).join(", ");

export function Tokens(): JSX.Element {
  const { items, again } = useList<Token>("/v1/auth/tokens");
  const { attempt, ...outcome } = useAttempt();
  const remove = (id: string) =>
    attempt(async () => {
      await call("DELETE", `/v1/auth/tokens/${id}`).finally(again);
      return "";
    });
  return (
    <section class="block">
      <h2>{t("tokens")}</h2>
      {items.length === 0 ? <p class="muted">{t("noTokens")}</p> : null}
      <ul class="rows people-rows">
        {items.map(({ id, name, createdAt, expiresAt, scopes: own }) => (
          <li class="person-row" key={id}>
            <span class="person-name stacked">
              <span class="clamp">{name}</span>
              <span class="muted small">{scopeText(own)}</span>
            </span>
            <span class="muted small">
              {expiresAt === null
                ? day(createdAt)
                : t(Date.parse(expiresAt) < Date.now() ? "expiredAt" : "expiresAt", { date: day(expiresAt) })}
            </span>
            <button type="button" class="button small ghosted danger" onClick={() => remove(id)}>
              {t("deleteToken")}
            </button>
          </li>
        ))}
      </ul>
      <Told {...outcome} />
      <NewToken onMade={again} />
    </section>
  );
}

function NewToken({ onMade }: { onMade: () => void }): JSX.Element {
  const [secret, setSecret] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>(scopesByDefault);
  const { onSubmit, outcome } = useForm(async ({ text, reset }) => {
    const until = text("until");
    const body = {
      name: text("name"),
      scopes: chosen,
      // To the end of that day where the person is.
      ...(until === "" ? {} : { expiresAt: new Date(`${until}T23:59:59.999`).toISOString() }),
    };
    const answer = await call("POST", "/v1/auth/tokens", { body });
    setSecret(((await answer.json()) as { token: string }).token);
    reset();
    setChosen(scopesByDefault);
    onMade();
    return "";
  });
  return (
    <>
      <form class="form-row" onSubmit={onSubmit}>
        <Field name={t("tokenName")}>
          <input class="input" name="name" required maxLength={200} />
        </Field>
        <Field name={t("tokenUntil")}>
          <input class="input" name="until" type="date" min={addDays(dayOf(new Date()), 0)} />
        </Field>
        <fieldset class="choice-row">
          <legend class="field-name">{t("tokenScopes")}</legend>
          {scopes.map(([name, text]) => (
            <label class="switch" key={name}>
              <input
                type="checkbox"
                checked={chosen.includes(name)}
                onChange={(event) =>
                  setChosen(event.currentTarget.checked ? [...chosen, name] : chosen.filter((each) => each !== name))
                }
              />
              {t(text)}
            </label>
          ))}
        </fieldset>
        <button type="submit" class="button" disabled={chosen.length === 0}>
          {t("newToken")}
        </button>
      </form>
      <Told {...outcome} />
      {secret === "" ? null : <Secret text={secret} hint={t("tokenOnce")} name={t("newToken")} />}
    </>
  );
}
