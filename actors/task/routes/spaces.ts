/** The routes of spaces themselves: making and listing them, inviting, and what is read over all of one's own (sections 3.2 and 3.4 of the contract). */
import { createHash, randomBytes } from "node:crypto";
import { booleanParameter } from "../../http/query-parameters.ts";
import { resourceBody } from "../../http/resource-body.ts";
import type { Answer, Call, Route } from "../../http/route.ts";
import { Problem } from "../../model/problem.ts";
import { uuidBytes, uuidText } from "../../model/uuid-bytes.ts";
import { invitation } from "../../resources/invitation.ts";
import { member } from "../../resources/member.ts";
import { space } from "../../resources/space.ts";
import { task } from "../../resources/task.ts";
import type { Outcome } from "../change-answers.ts";
import { changeCommand, newSpaceId, operationIds } from "../commands.ts";
import { ofReads, ofUnconditionalWrites } from "../conditions.ts";
import { all, type MaybePromise, then } from "../maybe-promise.ts";
import {
  answersUndecided,
  askingOf,
  bodyProblems,
  callerOf,
  faultsUnlessTaken,
  inSpace,
  json,
  membersOnly,
  privateRead,
  readerOf,
  readProblems,
  type SpaceParts,
  spaceOf,
  writeProblems,
} from "../request.ts";
import { listFaults, listParametersOf, resourceQuery } from "../resource-query.ts";
import { answerTo } from "./resource-changing.ts";
import { edgeOf } from "./resource-place.ts";
import { Acceptance, Labels, Member, NewInvitation, Space, Spaces, TaskPage } from "./space-models.ts";

/** A user's at most, checked where they are made and joined. */
const spacesMax = 200;

const admin = { auth: "user", scope: "spaces:admin" } as const;
const newHeaders = ["Location", "ETag", "Consistency-Token", "Idempotency-Replayed"] as const;
export function spaceRoutes(parts: SpaceParts): Route[] {
  return [...ownRoutes(parts), ...invitingRoutes(parts), labelsRoute(parts)];
}

function ownRoutes(parts: SpaceParts): Route[] {
  const body = resourceBody(space, "create");
  return [
    {
      method: "POST",
      path: "/v1/spaces",
      id: "createSpace",
      summary: "Make a space, as its owner",
      description: "Its maker is its only member until others accept an invitation. A user is in at most 200.",
      tag: "Spaces",
      ...admin,
      body: { schema: body.model, types: [json] },
      faults: (call) => body.furtherFaults(call.body, edgeOf(parts)),
      ...ofUnconditionalWrites,
      answers: { 201: { description: "The new space", schema: Space, headers: newHeaders }, ...answersUndecided },
      problems: [...bodyProblems, ...writeProblems],
      async handle(call) {
        const { userId } = callerOf(call);
        const spaceId = newSpaceId({ userId, key: call.request.headers.get("idempotency-key") });
        const asking = { ...askingOf(call, spaceId, ""), target: "POST /v1/spaces" };
        await refuseOverLimit(parts, userId, { but: spaceId });
        const intent = {
          type: "space",
          id: spaceId,
          kind: "create" as const,
          body: body.kept(call.body, edgeOf(parts)),
        };
        const ids = operationIds(asking, spaceId);
        const outcome = await parts.changes.change(changeCommand({ asking, ids, nowMs: parts.now() }, [intent]));
        await toMembersOnly(parts, asking, spaceId, outcome);
        const answer = await answerTo(parts, call, outcome, space);
        if (outcome.kind === "pending")
          answer.headers = {
            ...answer.headers,
            location: `${parts.site.url}/v1/spaces/${spaceId}/operations/${outcome.operationId}`,
          };
        return answer;
      },
    },
    {
      method: "GET",
      path: "/v1/spaces",
      id: "listSpaces",
      summary: "The caller's spaces, the personal one first",
      description: "The personal space is there from the start; its id is the user's.",
      tag: "Spaces",
      auth: "user",
      query: {
        deleted: {
          schema: booleanParameter({ description: "`true`: those that the caller owns and has deleted" }),
        },
      },
      ...ofReads,
      headers: [...ofReads.headers, "If-None-Match"],
      answers: {
        200: {
          description: "Each with the caller's own member and its latest seq",
          schema: Spaces,
          headers: ["ETag", "Consistency"],
        },
        304: { description: "The client has this list", headers: ["ETag"] },
      },
      problems: readProblems,
      cacheControl: privateRead,
      handle: (call) => listSpaces(parts, call),
    },
    {
      method: "GET",
      path: "/v1/me/tasks",
      id: "listAllTasks",
      summary: "List tasks of all the caller's spaces",
      description: "With the filters of one space's tasks: `assignee=me` and `dueBefore` make a day's list.",
      tag: "Tasks",
      auth: "user",
      query: listParametersOf(task),
      faults: ({ query }) => listFaults(task, query),
      ...ofReads,
      headers: [...ofReads.headers, "If-None-Match"],
      answers: {
        200: { description: "A page of tasks", schema: TaskPage, headers: ["ETag", "Consistency"] },
        304: { description: "The client has this page", headers: ["ETag"] },
      },
      problems: [...readProblems, "invalid-cursor"],
      cacheControl: privateRead,
      handle(call) {
        const reader = readerOf(call);
        const { userId } = reader;
        let query: ReturnType<typeof resourceQuery>;
        const spacesOf = () =>
          then(sharedSpaces(parts, userId, { isDeleted: false }), (shared) => {
            const spaceIds = [userId, ...shared];
            // Made here: what it refuses is refused whether or not the client has the page.
            query = resourceQuery(task, { userId, spaceIds, isAcross: true }, call.query);
            return spaceIds;
          });
        return parts.lists.page(call, reader, spacesOf, () => parts.queries.page(reader, query));
      },
    },
  ];
}

/** Ids of those that the read model tells of, and that the user may see: the model may not know yet of a removal. */
function sharedSpaces(
  { access, reads }: SpaceParts,
  userId: string,
  { isDeleted }: { isDeleted: boolean },
): MaybePromise<readonly string[]> {
  const asked = { userId, token: undefined };
  return then(reads.memberships(userId), (memberships) => {
    const told = memberships.filter((each) => each.isDeleted === isDeleted && each.spaceId !== userId);
    const found = told.map(({ spaceId }) => access.find(asked, spaceId, { isDeletedSeen: isDeleted }));
    return then(all(found), (seen) => seen.flatMap((each) => each?.spaceId ?? []));
  });
}

function listSpaces(parts: SpaceParts, call: Call): MaybePromise<Answer> {
  const { queries, access, lists } = parts;
  const reader = readerOf(call);
  const { userId } = reader;
  const isDeleted = call.query.get("deleted") === "true";
  const asked = { userId, token: undefined };
  const shownOf = async (spaceId: string): Promise<string[]> => {
    try {
      const { head, role } = await access.of(asked, spaceId, { isDeletedSeen: true });
      if (isDeleted && role !== "owner") return [];
      const memberId = head.members.find((each) => each.userId === userId)?.id ?? "";
      const [found, own] = await Promise.all([
        queries.get(asked, spaceId, "space", spaceId, { isDeleted }),
        queries.get(asked, spaceId, "member", memberId),
      ]);
      return [`{"space":${found.json},"member":${own.json},"seq":${head.seq}}`];
    } catch (failure) {
      // It ended while it was read.
      if (failure instanceof Problem && failure.code === "not-found") return [];
      throw failure;
    }
  };
  const spacesOf = () =>
    then(sharedSpaces(parts, userId, { isDeleted }), (shared) => [...(isDeleted ? [] : [userId]), ...shared]);
  const read = async (ids: readonly string[]) =>
    `{"items":[${(await Promise.all(ids.map(shownOf))).flat().join(",")}]}`;
  return lists.page(call, reader, spacesOf, read);
}

/** Throws `limit-reached`. Spaces that are deleted count: they can come back. `but`: a space that the user may have made or joined by this very request. */
async function refuseOverLimit({ reads }: SpaceParts, userId: string, { but }: { but: string }): Promise<void> {
  const shared = (await reads.memberships(userId)).filter(({ spaceId }) => spaceId !== userId);
  if (shared.some(({ spaceId }) => spaceId === but)) return;
  if (shared.length >= spacesMax) throw new Problem("limit-reached", `A user is in at most ${spacesMax} spaces.`);
}

/** These requests ask for no member, since they make one. A repeat does: throws `not-found` for whoever has left the space meanwhile. */
async function toMembersOnly(
  { access }: SpaceParts,
  { userId }: { userId: string },
  spaceId: string,
  outcome: Outcome,
): Promise<void> {
  if (outcome.kind === "pending" || !outcome.isReplayed || outcome.fact.verdict === "rejected") return;
  await access.check({ userId, token: outcome.position }, spaceId, { isDeletedSeen: true });
}

function invitingRoutes(parts: SpaceParts): Route[] {
  const body = resourceBody(invitation, "create");
  return [
    {
      method: "POST",
      path: "/v1/spaces/:spaceId/invitations",
      id: "createInvitation",
      summary: "Invite: make a secret that makes those who have it members",
      description:
        "`token` and `url` are in this answer alone, and null where it is repeated by its Idempotency-Key: only a hash of the secret is kept.",
      tag: "Invitations",
      ...admin,
      body: { schema: body.model, types: [json] },
      faults(call) {
        const spaceId = spaceOf(parts, call);
        const found = body.furtherFaults(call.body, edgeOf(parts));
        return faultsUnlessTaken(parts, askingOf(call, spaceId, "/invitations"), spaceId, found);
      },
      ...ofUnconditionalWrites,
      before: membersOnly(parts),
      answers: {
        201: { description: "The invitation, with its secret", schema: NewInvitation, headers: newHeaders },
        ...answersUndecided,
      },
      problems: [...bodyProblems, ...writeProblems],
      async handle(call) {
        const spaceId = spaceOf(parts, call);
        const asking = askingOf(call, spaceId, "/invitations");
        const ids = operationIds(asking, spaceId);
        const id = ids.newId(0);
        const token = newToken(spaceId, id);
        const intent = {
          type: "invitation",
          id,
          kind: "create" as const,
          body: { ...body.kept(call.body, edgeOf(parts)), tokenHash: hashOf(token) },
        };
        const outcome = await parts.changes.change(changeCommand({ asking, ids, nowMs: parts.now() }, [intent]));
        const answer = await answerTo(parts, call, outcome, invitation);
        if (outcome.kind === "pending" || answer.json === undefined) return answer;
        const { url } = parts.site;
        const secret = outcome.isReplayed
          ? { token: null, url: null }
          : { token, url: url.startsWith("http") ? `${url}/#/join/${token}` : null };
        return { ...answer, json: `${answer.json.slice(0, -1)},${JSON.stringify(secret).slice(1)}` };
      },
    },
    {
      method: "POST",
      path: "/v1/invitations/accept",
      id: "acceptInvitation",
      summary: "Become a member of the space that an invitation is to",
      description: "The token names its space. One that is expired, revoked, spent or unknown is 404.",
      tag: "Invitations",
      ...admin,
      body: { schema: Acceptance, types: [json] },
      ...ofUnconditionalWrites,
      answers: {
        200: { description: "The caller was a member already", schema: Member, headers: newHeaders },
        201: { description: "The new member", schema: Member, headers: newHeaders },
        ...answersUndecided,
      },
      problems: [...bodyProblems, ...writeProblems],
      async handle(call) {
        const { token } = call.body as { token: string };
        const named = namedBy(token);
        if (named === undefined) throw new Problem("not-found");
        const { spaceId, invitationId } = named;
        const asking = { ...askingOf(call, spaceId, ""), target: "POST /v1/invitations/accept" };
        await refuseOverLimit(parts, asking.userId, { but: spaceId });
        const ids = operationIds(asking, spaceId);
        const intent = {
          type: "invitation",
          id: invitationId,
          kind: "accept" as const,
          body: { tokenHash: hashOf(token) },
        };
        const outcome = await parts.changes.change(changeCommand({ asking, ids, nowMs: parts.now() }, [intent]));
        await toMembersOnly(parts, asking, spaceId, outcome);
        const answer = await answerTo(parts, call, outcome, member);
        if (answer.headers?.location === undefined) return answer;
        const [memberId] = outcome.kind === "pending" ? [] : outcome.fact.answers;
        const at = outcome.kind === "pending" ? `operations/${outcome.operationId}` : `members/${memberId}`;
        return { ...answer, headers: { ...answer.headers, location: `${parts.site.url}/v1/spaces/${spaceId}/${at}` } };
      },
    },
  ];
}

const tokenPrefix = "ti_";
const secretBytes = 32;

/** Names its space and its invitation, so that accepting needs no search. */
function newToken(spaceId: string, invitationId: string): string {
  const bytes = Buffer.concat([uuidBytes(spaceId), uuidBytes(invitationId), randomBytes(secretBytes)]);
  return tokenPrefix + bytes.toString("base64url");
}

function namedBy(token: string): { spaceId: string; invitationId: string } | undefined {
  const bytes = Buffer.from(token.slice(tokenPrefix.length), "base64url");
  if (!token.startsWith(tokenPrefix) || bytes.length !== 32 + secretBytes) return undefined;
  if (tokenPrefix + bytes.toString("base64url") !== token) return undefined;
  return { spaceId: uuidText(bytes.subarray(0, 16)), invitationId: uuidText(bytes.subarray(16, 32)) };
}

function hashOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}

function labelsRoute(parts: SpaceParts): Route {
  return {
    method: "GET",
    path: `${inSpace.prefix}/labels`,
    id: "listLabels",
    summary: "The labels of the space's tasks, with the number of tasks that have each",
    description: "Deleted tasks do not count.",
    tag: "Tasks",
    auth: "user",
    ...ofReads,
    headers: [...ofReads.headers, "If-None-Match"],
    before: membersOnly(parts),
    answers: {
      200: { description: "In the order of the labels", schema: Labels, headers: ["ETag", "Consistency"] },
      304: { description: "The client has this list", headers: ["ETag"] },
    },
    problems: readProblems,
    cacheControl: privateRead,
    handle(call): MaybePromise<Answer> {
      const spaceId = spaceOf(parts, call);
      return parts.lists.page(
        call,
        readerOf(call),
        () => [spaceId],
        () => then(parts.reads.labels(spaceId), (items) => JSON.stringify({ items })),
      );
    },
  };
}
