/** Every route of what is in spaces (section 3 of the contract), put together on what this system has. */
import type { Route } from "../http/route.ts";
import type { Site } from "../http/site.ts";
import { resourceTypes } from "../resources/registry.ts";
import { webhook } from "../resources/webhook.ts";
import type { Tracer } from "../tracing/tracer.ts";
import { spaceAccess } from "./access.ts";
import type { SpaceBackend } from "./backend.ts";
import { spaceChanges } from "./changes.ts";
import { lists } from "./lists.ts";
import { spaceQueries } from "./queries.ts";
import { batchRoutes } from "./routes/batch.ts";
import { eventsRoute } from "./routes/events.ts";
import { feedRoutes } from "./routes/feed.ts";
import { resourceRoutes } from "./routes/resources.ts";
import { spaceRoutes } from "./routes/spaces.ts";
import { webhookRoutes } from "./routes/webhooks.ts";
import type { Streams } from "./streams.ts";
import type { Webhooks } from "./webhooks.ts";

export type AllSpaceRoutesParts = Pick<SpaceBackend, "log" | "reads" | "consistent"> & {
  readonly now: () => number;
  readonly site: Pick<Site, "url">;
  readonly streams: Pick<Streams, "open">;
  /** Where facts are delivered to webhooks. */
  readonly webhooks?: Webhooks | undefined;
  readonly urlFault?: ((url: string) => string | undefined) | undefined;
  readonly tracer?: Tracer | undefined;
};

export function allSpaceRoutes({
  log,
  reads,
  consistent,
  streams,
  now,
  site,
  tracer,
  webhooks,
  urlFault,
}: AllSpaceRoutesParts): Route[] {
  const changes = spaceChanges({ log, reads, consistent, tracer });
  const parts = {
    access: spaceAccess(consistent),
    changes,
    queries: spaceQueries({ reads, consistent, documentsOf: changes.documentsOf, site }),
    lists: lists({ reads, consistent }),
    reads,
    site,
    now,
    urlFault,
  };
  return [
    ...resourceTypes.flatMap((type) => (type !== webhook || webhooks !== undefined ? resourceRoutes(type, parts) : [])),
    ...(webhooks === undefined ? [] : webhookRoutes({ ...parts, webhooks, consistent })),
    ...spaceRoutes(parts),
    ...batchRoutes(parts),
    ...feedRoutes(parts),
    eventsRoute(streams),
  ];
}
