/** What the user may do in a space; the server decides, the page only hides what would be refused. */
import { isAtLeast, type Role } from "../../actors/resources/document.ts";
import type { SpaceStore } from "../store/space-store.ts";
import { spaces } from "../sync/spaces.ts";

export function roleIn(store: SpaceStore): Role {
  return store.role ?? (spaces.value.find(({ id }) => id === store.id)?.role as Role | undefined) ?? "viewer";
}

export const canChangeIn = (store: SpaceStore): boolean => isAtLeast(roleIn(store), "member");
export const canManage = (store: SpaceStore): boolean => isAtLeast(roleIn(store), "admin");
