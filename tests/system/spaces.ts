/** Shared spaces as tests make them: through invitations, as people do. */
import { expect } from "bun:test";
import type { Json, Person, Reply } from "./client.ts";
import { poll } from "./poll.ts";

export type Resource = {
  id: string;
  spaceId: string;
  version: number;
  creatorId: string;
  createdAt: string;
  updatedAt: string;
} & {
  [field: string]: Json;
};
export type Fact = {
  spaceId: string;
  seq: number;
  at: string;
  actorId: string;
  operationId: string;
  changes: {
    type: string;
    id: string;
    version: number;
    kind: string;
    fields: Record<string, { from: Json; to: Json }>;
    deleted?: boolean;
  }[];
};
export type Batch = { operationId: string; seq: number; items: (Resource | null)[] };

/** Sends it and insists on the status. */
export async function ok<Body = Resource>(
  who: Person,
  status: number,
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
): Promise<Reply<Body>> {
  const reply = await who.call<Body>(method, path, {
    ...(body === undefined ? {} : { body }),
    ...(headers === undefined ? {} : { headers }),
  });
  expect(reply.status, `${method} ${path}: ${reply.text}`).toBe(status);
  return reply;
}

/** Resolves when changes are decided: on servers that have just begun, the first ones may wait for longer than a client does. */
export async function atWork(who: Person): Promise<void> {
  await poll("changes are decided", 120_000, async () => {
    const headers = { "idempotency-key": crypto.randomUUID() };
    return (await who.call("POST", "/v1/tasks", { body: { title: "First" }, headers })).status === 201;
  });
}

export async function newSpace(owner: Person, name = "Our space"): Promise<string> {
  return (await ok(owner, 201, "POST", "/v1/spaces", { name })).body.id;
}

/** Makes somebody a member of this role; the member's id. */
export async function join(
  spaceId: string,
  owner: Person,
  who: Person,
  role: "viewer" | "member" | "admin" = "member",
): Promise<string> {
  const invitation = await ok<Resource & { token: string }>(owner, 201, "POST", `/v1/spaces/${spaceId}/invitations`, {
    role,
  });
  return (await ok(who, 201, "POST", "/v1/invitations/accept", { token: invitation.body.token })).body.id;
}

/** All facts of a space from the beginning on. */
export async function factsOf(who: Person, spaceId: string): Promise<Fact[]> {
  const all: Fact[] = [];
  for (let after = 0; ; ) {
    const { body } = await ok<{ items: Fact[]; after: number; seq: number }>(
      who,
      200,
      "GET",
      `/v1/spaces/${spaceId}/facts?after=${after}&limit=1000`,
    );
    all.push(...body.items);
    if (body.after >= body.seq) return all;
    after = body.after;
  }
}
