/** One space and its readers, for tests of streams. */
import type { Head, Membership as Member } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import type { FeedSource } from "./feed-source.ts";
import type { Follower, Streams } from "./streams.ts";

export const [ann, bob, spaceId] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
const memberOf = (userId: string): Member => ({ id: `member-${userId}`, userId, role: "member", since: "" });

/** One space whose facts are told when `tell` is called. */
export function spaceWith(members: readonly string[]) {
  const facts: Fact[] = [];
  let shown = 0;
  let roster = members.map(memberOf);
  let shownRoster = roster;
  let mark = 0;
  let reads = 0;
  let held: Promise<void> | undefined;
  let isAway = false;
  let isAhead = false;
  const source: FeedSource = {
    mark: () => mark,
    head: (id): Head | undefined =>
      id === spaceId
        ? { spaceId, seq: shown, position: shown, at: "", isDeleted: false, members: shownRoster, projects: 0 }
        : undefined,
    facts(_, after, limit, bytesMax) {
      if (isAway) throw new Error("The read model is away");
      let bytes = 0;
      return facts
        .slice(after, Math.min(isAhead ? facts.length : shown, after + limit))
        .filter((fact, place) => (bytes += JSON.stringify(fact).length) <= bytesMax || place === 0);
    },
    memberships: async () => {
      reads += 1;
      await held;
      return [{ spaceId, isDeleted: false }];
    },
    epoch: () => "epoch",
  };
  const add = (changes: Fact["changes"]) => {
    const seq = facts.length + 1;
    const of = { spaceId, seq, at: new Date().toISOString(), actorId: ann, operationId: `${seq}`, changes };
    facts.push({ ...of, fingerprint: "", position: seq, verdict: "applied", keyed: false, answers: [] });
  };
  return {
    source,
    change: (title = "") =>
      add([
        {
          type: "task",
          id: "task",
          version: facts.length + 1,
          kind: "changed",
          fields: { title: { from: "", to: title } },
        },
      ]),
    /** Whether the read model answers. */
    away(is: boolean) {
      isAway = is;
    },
    /** The read model has facts that were not told yet. */
    ahead() {
      isAhead = true;
    },
    remove(userId: string) {
      roster = roster.filter((member) => member.userId !== userId);
      add([{ type: "member", id: `member-${userId}`, version: 2, kind: "deleted", fields: {}, deleted: true }]);
    },
    tell() {
      shown = facts.length;
      shownRoster = roster;
      mark += 1;
    },
    membershipReads: () => reads,
    /** Memberships are answered when the result is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
  };
}

export const follower = (
  userId: string,
  followed: readonly { spaceId: string; after?: number }[],
  expMs = Number.POSITIVE_INFINITY,
): Follower => ({
  userId,
  credential: userId,
  expMs,
  followed,
});

/** The writes of a stream, one after the other. */
export async function writesOf(of: Streams, userId: string, after?: number): Promise<() => Promise<string[]>> {
  const place = { spaceId, ...(after === undefined ? {} : { after }) };
  const reader = (await of.open(follower(userId, [place]))).getReader();
  const next = async (): Promise<string[]> => {
    const { value } = await reader.read();
    const told = [...new TextDecoder().decode(value).matchAll(/^(?:id: .+:(\d+)|event: (?!fact)(\w+))$/gm)];
    // A sign of life tells nothing.
    return told.length === 0 ? await next() : told.map(([, seq, event]) => seq ?? event ?? "");
  };
  const first = await next();
  if (first.join() !== "hello") throw new Error(`The stream began with ${first.join()}`);
  return next;
}
