/** Who is in the space, and links that bring others in. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { isAtLeast, type Role, roles } from "../../actors/resources/document.ts";
import { base } from "../base.ts";
import { nameOfUser } from "../store/people.ts";
import { go } from "../store/route.ts";
import type { Resource, SpaceStore } from "../store/space-store.ts";
import { call, user } from "../sync/session.ts";
import { listAfterLeaving, listSpaces } from "../sync/spaces.ts";
import { format, type Key, t } from "../text/language.ts";
import { Avatar, Field, Icon } from "./parts.tsx";
import { canManage, roleIn } from "./permissions.ts";
import { faultText } from "./sign-in.tsx";

export function Members({ store }: { store: SpaceStore }): JSX.Element {
  store.changed.value;
  const [fault, setFault] = useState("");
  const isPersonal = store.id === user.value?.id;
  const attempt = async (work: () => Promise<unknown>) => {
    setFault("");
    try {
      await work();
    } catch (error) {
      setFault(faultText(error));
    }
  };
  const members = [...store.all("member")].sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  return (
    <div class="page">
      <p class="muted">{t(isPersonal ? "personalMembers" : "membersHint")}</p>
      {fault === "" ? null : (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
      <ul class="rows people-rows">
        {members.map(({ id, fields }) => {
          const [userId, role] = [fields.userId as string, fields.role as Role];
          const isOwn = userId === user.value?.id;
          return (
            <li class="person-row" key={id}>
              <Avatar id={userId} />
              <span class="person-name">
                {nameOfUser(userId)}
                {isOwn ? <span class="muted"> ({t("you")})</span> : null}
              </span>
              <RoleChoice
                store={store}
                role={role}
                name={nameOfUser(userId)}
                onChoose={(next) =>
                  attempt(() => call("PATCH", `/v1/spaces/${store.id}/members/${id}`, { body: { role: next } }))
                }
              />
              {isPersonal || !(isOwn || (canManage(store) && isAtLeast(roleIn(store), role))) ? null : (
                <button
                  type="button"
                  class="button small ghosted danger"
                  onClick={() =>
                    void attempt(async () => {
                      if (isOwn && !confirm(t("leaveSpaceSure"))) return;
                      await call("DELETE", `/v1/spaces/${store.id}/members/${id}`);
                      if (isOwn) {
                        go(["day"]);
                        await listAfterLeaving(store.id);
                      }
                    })
                  }
                >
                  {t(isOwn ? "leaveSpace" : "removeMember")}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      {isPersonal || !canManage(store) ? null : <Invite store={store} attempt={attempt} />}
      {isPersonal || !canManage(store) ? null : <Invitations store={store} attempt={attempt} />}
    </div>
  );
}

function RoleChoice({
  store,
  role,
  name,
  onChoose,
}: {
  store: SpaceStore;
  role: Role;
  name: string;
  onChoose: (role: string) => unknown;
}): JSX.Element {
  const own = roleIn(store);
  const canChoose = store.id !== user.value?.id && canManage(store) && isAtLeast(own, role);
  if (!canChoose) return <span class="muted role">{t(role)}</span>;
  return (
    <select
      class="select role"
      aria-label={`${t("role")}: ${name}`}
      value={role}
      onChange={(event) => void onChoose(event.currentTarget.value)}
    >
      {roles
        .filter((each) => isAtLeast(own, each))
        .map((each) => (
          <option key={each} value={each}>
            {t(each)}
          </option>
        ))}
    </select>
  );
}

type Attempt = (work: () => Promise<unknown>) => Promise<void>;

function Invite({ store, attempt }: { store: SpaceStore; attempt: Attempt }): JSX.Element {
  const [link, setLink] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const given = new FormData(event.target as HTMLFormElement);
    void attempt(async () => {
      const body = {
        role: String(given.get("role")),
        maxUses: Number(given.get("maxUses")),
        note: String(given.get("note") ?? ""),
      };
      const answer = await call("POST", `/v1/spaces/${store.id}/invitations`, { body });
      const { token, url } = (await answer.json()) as { token: string; url: string | null };
      setLink(url ?? `${base.href}#/join/${token}`);
    });
  };
  return (
    <section class="block">
      <h2>{t("invite")}</h2>
      <form class="form-row" onSubmit={submit}>
        <Field name={t("inviteRole")}>
          <select class="select" name="role">
            {(["member", "viewer", "admin"] as const).map((each) => (
              <option key={each} value={each}>
                {t(each)}
              </option>
            ))}
          </select>
        </Field>
        <Field name={t("inviteUses")}>
          <input class="input" name="maxUses" type="number" min={1} max={100} defaultValue="1" required />
        </Field>
        <Field name={t("inviteNote")}>
          <input class="input" name="note" maxLength={200} />
        </Field>
        <button type="submit" class="button primary">
          {t("createLink")}
        </button>
      </form>
      {link === "" ? null : <Secret text={link} hint={t("linkOnce")} name={t("copyLink")} />}
    </section>
  );
}

/** Something that is shown once, to be copied. */
export function Secret({ text, hint, name }: { text: string; hint: string; name: string }): JSX.Element {
  const [isCopied, setCopied] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const copy = () => {
    const { clipboard } = navigator;
    if (clipboard !== undefined) return void clipboard.writeText(text).then(() => setCopied(true), copyByField);
    copyByField();
  };
  /** Without TLS there is no other way. */
  const copyByField = () => {
    field.current?.select();
    setCopied(document.execCommand("copy"));
  };
  return (
    <div class="secret">
      <p class="small">{hint}</p>
      <div class="row">
        <input
          ref={field}
          class="input"
          aria-label={name}
          readOnly
          value={text}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button" onClick={copy}>
          <Icon name="link" />
          {t(isCopied ? "copied" : "copyLink")}
        </button>
      </div>
    </div>
  );
}

function Invitations({ store, attempt }: { store: SpaceStore; attempt: Attempt }): JSX.Element | null {
  const now = new Date().toISOString();
  const open = store
    .all("invitation")
    .filter(({ fields }) => (fields.expiresAt as string) > now && (fields.uses as number) < (fields.maxUses as number));
  if (open.length === 0) return null;
  return (
    <section class="block">
      <h2>{t("invitations")}</h2>
      <ul class="rows people-rows">
        {open.map(({ id, fields }) => {
          const until = format(new Date(fields.expiresAt as string), { day: "numeric", month: "short" });
          return (
            <li class="person-row" key={id}>
              <Icon name="link" />
              <span class="person-name">{(fields.note as string) || t(fields.role as Key)}</span>
              <span class="muted small">
                {t(fields.role as Key)} ·{" "}
                {t("usesOf", { uses: fields.uses as number, max: fields.maxUses as number, until })}
              </span>
              <button
                type="button"
                class="button small ghosted danger"
                onClick={() => void attempt(() => call("DELETE", `/v1/spaces/${store.id}/invitations/${id}`))}
              >
                {t("revoke")}
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

export type Accepted = Resource & { readonly spaceId: string };
export async function accept(token: string): Promise<string> {
  const answer = await call("POST", "/v1/invitations/accept", { body: { token } });
  const { spaceId } = (await answer.json()) as Accepted;
  await listSpaces();
  return spaceId;
}
