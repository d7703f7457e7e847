/** Where streams read what happened, and which spaces they follow. */
import type { Head } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { isPersonal, personalHead } from "../resources/head.ts";
import type { Membership } from "./ports.ts";

export const followedMax = 50;

export type FeedSource = {
  /** Another number than before: the space, or the user's memberships, may have changed since. */
  mark(id: string): number;
  head(spaceId: string): Promise<Head | undefined> | Head | undefined;
  facts(spaceId: string, after: number, limit: number, bytesMax: number): Promise<readonly Fact[]> | readonly Fact[];
  memberships(userId: string): Promise<readonly Membership[]> | readonly Membership[];
  epoch(): Promise<string> | string;
};

/** A space that is followed, from behind a `seq` on; from now on where there is none. */
export type Followed = { readonly spaceId: string; readonly after?: number };

/** The caller's spaces, those that changed last where there are too many. */
export async function lastChanged(source: FeedSource, userId: string): Promise<Followed[]> {
  const shared = (await source.memberships(userId)).filter((each) => !each.isDeleted && each.spaceId !== userId);
  const ids = shared.map(({ spaceId }) => spaceId);
  if (ids.length < followedMax) return [userId, ...ids].map((spaceId) => ({ spaceId }));
  const heads = (await Promise.all(ids.map((id) => source.head(id)))).flatMap((head) => head ?? []);
  const latest = heads.toSorted((one, other) => (one.at < other.at ? 1 : -1)).slice(0, followedMax - 1);
  return [userId, ...latest.map(({ spaceId }) => spaceId)].map((spaceId) => ({ spaceId }));
}

/** A personal space has none before its first change. */
export async function headOf(source: FeedSource, spaceId: string, userId: string): Promise<Head | undefined> {
  const known = await source.head(spaceId);
  return known ?? (isPersonal(spaceId, userId) ? personalHead(userId) : undefined);
}

export function isSeen(head: Head, userId: string): boolean {
  return !head.isDeleted && head.members.some((member) => member.userId === userId);
}
