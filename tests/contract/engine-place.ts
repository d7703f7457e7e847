/** The edge and the writer of spaces over one store, without processes between them: for tests of what all types of resources share. */
import { PartitionWriter } from "../../actors/consumer/partition-writer.ts";
import { emptyWorld, placeOver, topicOver } from "../../actors/consumer/spaces-for-tests.ts";
import type { FactStore } from "../../actors/consumer/write-ports.ts";
import { edge } from "../../actors/http/app.ts";
import { documentRoutes } from "../../actors/http/document-routes.ts";
import { rootSite } from "../../actors/http/site.ts";
import type { Command } from "../../actors/resources/command.ts";
import { registry } from "../../actors/resources/registry.ts";
import type { ConsistentReads, SpaceAppended, SpaceReads } from "../../actors/task/ports.ts";
import { allSpaceRoutes } from "../../actors/task/routes.ts";
import { streams } from "../../actors/task/streams.ts";

const now = () => Promise.resolve();

export type Called = { readonly status: number; readonly headers: Headers; readonly text: string; readonly body: Body };
// biome-ignore lint/suspicious/noExplicitAny: tests look into bodies as they come.
export type Body = any;

export async function enginePlace({ store, reads }: { store: FactStore; reads: SpaceReads }) {
  const world = emptyWorld();
  const writer = await PartitionWriter.takeOver({
    store,
    topic: topicOver(world, now),
    place: placeOver(world, now),
    registry,
  });
  const marks = new Map<string, number>();
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other, each projected before it is answered, as in one process. */
  function append(command: Command): Promise<SpaceAppended> {
    const taken = last.then(async (): Promise<SpaceAppended> => {
      const position = writer.next;
      const [told] = await writer.take([{ position, command, isResent: false }]);
      while (await writer.project());
      marks.set(command.spaceId, position);
      if (told === undefined || told.kind === "parked") throw new Error("there is no verdict");
      return { position: { partition: 0, offset: position }, verdict: told };
    });
    last = taken.catch(() => undefined);
    return taken;
  }

  const consistent: ConsistentReads = {
    head: (_, spaceId) => reads.head(spaceId),
    resource: async (_, spaceId, id) => ({ resource: (await reads.resources(spaceId, [id]))[0], isStale: false }),
    isStale: () => false,
    replica: () => undefined,
    projectedSeq: async (spaceId) => (await reads.head(spaceId))?.seq ?? 0,
    wrote: () => undefined,
    pending: () => undefined,
  };
  const open = streams(
    {
      mark: (id) => marks.get(id) ?? 0,
      head: reads.head,
      facts: reads.facts,
      memberships: reads.memberships,
      epoch: reads.epoch,
    },
    Date.now,
  );
  const routes = allSpaceRoutes({ log: { append }, reads, consistent, now: Date.now, site: rootSite, streams: open });
  const failures: unknown[] = [];
  const app = edge([...routes, ...documentRoutes(routes, rootSite)], {
    authenticate: (authorization) => ({
      userId: `${authorization}`,
      sessionId: "",
      scopes: ["tasks:read", "tasks:write", "spaces:admin"],
      limits: {},
      credential: { hash: `${authorization}`, expMs: Number.MAX_SAFE_INTEGER },
    }),
    onFailure: (failure) => failures.push(failure),
  });
  const fetch = async (
    userId: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ) =>
    app.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: {
          authorization: userId,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );

  return {
    fetch,
    /** What the edge did not expect. */
    failures,
    async call(...request: Parameters<typeof fetch>): Promise<Called> {
      const response = await fetch(...request);
      const { status, headers } = response;
      const text = await response.text();
      const isJson = headers.get("content-type")?.includes("json") === true && !text.includes("}\n");
      return { status, headers, text, body: isJson ? JSON.parse(text) : undefined };
    },
    close: () => open.drain(),
  };
}
