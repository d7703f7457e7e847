/** Who may see a space: its members; for everybody else it does not exist. */

import { uuidPattern } from "../http/validate.ts";
import { Problem } from "../model/problem.ts";
import type { Head, Role } from "../resources/document.ts";
import { isPersonal, personalHead } from "../resources/head.ts";
import { type MaybePromise, then } from "./maybe-promise.ts";
import type { ConsistentReads, Reader } from "./ports.ts";

export type Access = { readonly spaceId: string; readonly role: Role; readonly head: Head };

export type SpaceAccess = {
  /** `asked`: an id, or `me`. Throws `not-found`. */
  spaceIdOf(userId: string, asked: string | undefined): string;
  /** Throws `not-found` for everybody who must not know of the space. `isDeletedSeen`: owners see it although it is deleted. */
  check(reader: Reader, spaceId: string, options?: { isDeletedSeen?: boolean }): MaybePromise<void>;
  /** The same, with what is known of the space. */
  of(reader: Reader, spaceId: string, options?: { isDeletedSeen?: boolean }): MaybePromise<Access>;
  /** The same, and undefined where that throws. */
  find(reader: Reader, spaceId: string, options?: { isDeletedSeen?: boolean }): MaybePromise<Access | undefined>;
};

export function spaceAccess(reads: Pick<ConsistentReads, "head">): SpaceAccess {
  function find(reader: Reader, spaceId: string, { isDeletedSeen = false } = {}): MaybePromise<Access | undefined> {
    return then(reads.head(reader, spaceId), (known) => {
      const head = known ?? (isPersonal(spaceId, reader.userId) ? personalHead(reader.userId) : undefined);
      const role = head?.members.find(({ userId }) => userId === reader.userId)?.role;
      if (head === undefined || role === undefined || (head.isDeleted && !(isDeletedSeen && role === "owner")))
        return undefined;
      return { spaceId, role, head };
    });
  }

  function of(reader: Reader, spaceId: string, options?: { isDeletedSeen?: boolean }): MaybePromise<Access> {
    return then(find(reader, spaceId, options), (access) => {
      if (access === undefined) throw new Problem("not-found");
      return access;
    });
  }

  return {
    of,
    find,
    spaceIdOf(userId, asked) {
      if (asked === undefined || asked === "me") return userId;
      if (!uuidPattern.test(asked)) throw new Problem("not-found");
      return asked;
    },
    // A personal space has its one member for ever: nothing needs to be read.
    check: (reader, spaceId, options) =>
      isPersonal(spaceId, reader.userId) ? undefined : then(of(reader, spaceId, options), () => undefined),
  };
}
