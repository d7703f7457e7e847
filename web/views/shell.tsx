/** The frame around all views: where one is, where one can go, and whether all is saved. */
import { signal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { projectsOf } from "../store/boards.ts";
import { clearAll } from "../store/database.ts";
import { projectOf } from "../store/fields.ts";
import { waiting } from "../store/outbox.ts";
import { nameOfUser } from "../store/people.ts";
import { go, hrefOf, projectId, view } from "../store/route.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { createProject, newId } from "../store/tasks.ts";
import { call, signOut, user } from "../sync/session.ts";
import { listAfterLeaving, listSpaces, spaces } from "../sync/spaces.ts";
import { t } from "../text/language.ts";
import { open } from "./dialogs.ts";
import { isNarrow } from "./narrow.ts";
import { SaveState, said } from "./notes.tsx";
import { Avatar, Dialog, Field, Icon, type IconName, Menu } from "./parts.tsx";
import { canChangeIn, roleIn } from "./permissions.ts";
import { ProjectDot } from "./rows.tsx";
import { Brand, faultText } from "./sign-in.tsx";

/** On narrow screens. */
export const isMenuOpen = signal(false);
/** What is being named in a dialog. */
export const naming = signal<"space" | "rename" | "project" | undefined>(undefined);

/** By a key: the focus goes back to where the menu was opened. */
export function closeMenu(): void {
  isMenuOpen.value = false;
  requestAnimationFrame(() => document.querySelector<HTMLElement>(".menu-button")?.focus());
}

export function Shell({ store, children }: { store: SpaceStore; children: ComponentChildren }): JSX.Element {
  useEffect(() => {
    if (isMenuOpen.value) document.querySelector<HTMLElement>(".sidebar button")?.focus();
  }, [isMenuOpen.value]);
  return (
    <div class={isMenuOpen.value ? "shell menu-open" : "shell"}>
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          document.getElementById("main")?.focus();
        }}
      >
        {t("skip")}
      </a>
      <Sidebar store={store} />
      {isMenuOpen.value ? (
        <div
          class="scrim"
          onClick={() => {
            isMenuOpen.value = false;
          }}
          aria-hidden="true"
        />
      ) : null}
      {children}
      {naming.value === undefined ? null : <NameDialog kind={naming.value} store={store} />}
    </div>
  );
}

function Sidebar({ store }: { store: SpaceStore }): JSX.Element {
  store.changed.value;
  const canChange = canChangeIn(store);
  const projects = projectsOf(store);
  const close = () => {
    isMenuOpen.value = false;
  };
  return (
    <nav
      class="sidebar"
      aria-label={t("appName")}
      onClick={(event) => {
        if ((event.target as Element).closest("a") !== null) close();
      }}
    >
      <div class="sidebar-top">
        <Brand />
      </div>
      <Switcher store={store} />
      <div class="nav-scroll">
        <ul class="nav">
          <NavItem path={["day"]} icon="day" name={t("myDay")} isHere={view.value === "day"} />
          <NavItem
            path={["s", store.id, "board", "none"]}
            icon="inbox"
            name={t("inbox")}
            isHere={projectId.value === "none"}
          />
          <NavItem path={["s", store.id, "list"]} icon="list" name={t("list")} isHere={view.value === "list"} />
        </ul>
        <div class="nav-head">
          <h2>{t("projects")}</h2>
          {canChange ? (
            <button
              type="button"
              class="icon-button"
              aria-label={t("newProject")}
              title={t("newProject")}
              onClick={() => {
                naming.value = "project";
              }}
            >
              <Icon name="plus" />
            </button>
          ) : null}
        </div>
        <ul class="nav">
          {projects.map((project) => (
            <li key={project.id}>
              <a
                class={projectOf(project).archived ? "nav-item faded" : "nav-item"}
                href={hrefOf(["s", store.id, "board", project.id])}
                aria-current={projectId.value === project.id ? "page" : undefined}
              >
                <ProjectDot project={project} />
                <span class="clamp">{projectOf(project).name}</span>
              </a>
            </li>
          ))}
        </ul>
        <ul class="nav later">
          <NavItem
            path={["s", store.id, "members"]}
            icon="people"
            name={t("members")}
            isHere={view.value === "members"}
          />
          <NavItem path={["s", store.id, "trash"]} icon="trash" name={t("trash")} isHere={view.value === "trash"} />
        </ul>
      </div>
      <div class="sidebar-foot">
        {isNarrow.value ? null : <SaveState />}
        <Menu
          name={t("account")}
          kind="account-button"
          items={[
            { name: t("settings"), act: () => go(["settings"]) },
            {
              name: t("keys"),
              act: () => {
                open.value = "keys";
              },
            },
            { name: t("signOut"), act: () => void leave() },
          ]}
        >
          <Avatar id={user.value?.id ?? ""} />
          <span class="clamp">{nameOfUser(user.value?.id ?? "")}</span>
        </Menu>
      </div>
    </nav>
  );
}

/** What is still waiting would be lost with the session. */
async function leave(path: "logout" | "logout-all" = "logout"): Promise<void> {
  const n = waiting.value.length;
  if (n > 0 && !confirm(t("signOutUnsaved", { n }))) return;
  try {
    await signOut(path);
  } catch (error) {
    said.value = faultText(error);
    return;
  }
  if (user.peek() != null) return;
  await clearAll();
  go([]);
}

export async function signOutEverywhere(): Promise<void> {
  await leave("logout-all");
}

function NavItem({
  path,
  icon,
  name,
  isHere,
}: {
  path: readonly string[];
  icon: IconName;
  name: string;
  isHere: boolean;
}): JSX.Element {
  return (
    <li>
      <a class="nav-item" href={hrefOf(path)} aria-current={isHere ? "page" : undefined}>
        <Icon name={icon} />
        <span class="clamp">{name}</span>
      </a>
    </li>
  );
}

function Switcher({ store }: { store: SpaceStore }): JSX.Element {
  const name = spaces.value.find(({ id }) => id === store.id)?.name ?? t("space");
  const isPersonal = store.id === user.value?.id;
  const items = [
    ...spaces.value.map((each) => ({
      name: each.name,
      isChosen: each.id === store.id,
      act: () => go(["s", each.id, "list"]),
    })),
    {
      name: t("newSpace"),
      isApart: true,
      act: () => {
        naming.value = "space" as const;
      },
    },
    ...(["admin", "owner"].includes(roleIn(store))
      ? [
          {
            name: t("renameSpace"),
            act: () => {
              naming.value = "rename" as const;
            },
          },
        ]
      : []),
    ...(roleIn(store) === "owner" && !isPersonal
      ? [{ name: t("deleteSpace"), isDanger: true, act: () => void remove(store) }]
      : []),
  ];
  return (
    <Menu name={t("spaces")} kind="switcher" items={items}>
      <span class="space-mark" aria-hidden="true" data-letters={[...name][0]?.toUpperCase()} />
      <span class="clamp">{name}</span>
      <Icon name="chevron" />
    </Menu>
  );
}

async function remove(store: SpaceStore): Promise<void> {
  if (!confirm(t("deleteSpaceSure"))) return;
  try {
    await call("DELETE", `/v1/spaces/${store.id}`);
    go(["day"]);
    await listAfterLeaving(store.id);
  } catch (error) {
    said.value = faultText(error);
  }
}

function NameDialog({ kind, store }: { kind: "space" | "rename" | "project"; store: SpaceStore }): JSX.Element {
  const [fault, setFault] = useState("");
  const [isBusy, setBusy] = useState(false);
  // Made once, though the answer is lost and it is asked for again; by another name it is another one.
  const asked = useRef({ name: "", key: "" });
  const close = () => {
    naming.value = undefined;
  };
  const title = t(({ space: "newSpace", rename: "renameSpace", project: "newProject" } as const)[kind]);
  const keep = async (name: string) => {
    if (kind === "project") go(["s", store.id, "board", createProject(store.id, name)]);
    else if (kind === "rename") await call("PATCH", `/v1/spaces/${store.id}`, { body: { name } });
    else {
      if (asked.current.name !== name) asked.current = { name, key: newId() };
      const headers = { "idempotency-key": asked.current.key };
      const answer = await call("POST", "/v1/spaces", { body: { name }, headers });
      const { id } = (await answer.json()) as { id: string };
      await listSpaces();
      go(["s", id, "list"]);
    }
  };
  const before = kind === "rename" ? (spaces.value.find(({ id }) => id === store.id)?.name ?? "") : "";
  return (
    <Dialog title={title} onClose={close} kind="compact">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const name = String(new FormData(event.currentTarget).get("name")).trim();
          if (name === "") return;
          setBusy(true);
          keep(name).then(close, (error) => {
            setFault(faultText(error));
            setBusy(false);
          });
        }}
      >
        <Field name={t(kind === "project" ? "projectName" : "spaceName")}>
          <input class="input" name="name" required maxLength={200} defaultValue={before} data-first />
        </Field>
        {fault === "" ? null : (
          <p class="fault" role="alert">
            {fault}
          </p>
        )}
        <div class="row end">
          <button type="button" class="button" onClick={close}>
            {t("cancel")}
          </button>
          <button type="submit" class="button primary" disabled={isBusy}>
            {t(kind === "rename" ? "save" : "create")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
