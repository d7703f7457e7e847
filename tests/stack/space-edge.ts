/** A process of the edge of spaces without its HTTP: a follower and a worker on real servers. */

import { followSpaces } from "../../actors/follower/follow-facts.ts";
import { type FactsEnds, type FactsHeard, factsEnds, factsHeard } from "../../actors/follower/messages.ts";
import { kafkaClient } from "../../actors/kafka/client.ts";
import type { Command } from "../../actors/resources/command.ts";
import type { Reader, SpaceAppended } from "../../actors/task/ports.ts";
import { type KafkaSpaceBackend, kafkaSpaceBackend } from "../../actors/task/servers/backend.ts";
import type { SpacePlace } from "./space-place.ts";

export type SpaceEdge = KafkaSpaceBackend & {
  /** Appends, waits for the verdict unless told otherwise, and notes it for reads, as the service does. */
  change(command: Command, options?: { isCertain?: boolean }): Promise<SpaceAppended>;
  get(
    userId: string,
    spaceId: string,
    id: string,
    token?: Reader["token"],
  ): Promise<{ version: number | undefined; isStale: boolean; text: string }>;
  /** What the follower hears is not handed on while it is true. */
  isDeaf: boolean;
  /** As a worker whose process stands still: what the follower hears comes once it goes on. */
  halt(): { goOn(): void };
  end(): Promise<void>;
};

export async function spaceEdge(
  place: SpacePlace,
  over: { redisUrl?: string; mongoUrl?: string; verdictMs?: number } = {},
): Promise<SpaceEdge> {
  const stopping = new AbortController();
  const name = crypto.randomUUID();
  const common = { name: "task", log: () => undefined, fail: () => undefined, stopping: stopping.signal };
  const kafka = kafkaClient(place.servers, `edge-${name}`);
  let hear: (facts: FactsHeard) => void = () => undefined;
  let end: (ends: FactsEnds) => void = () => undefined;
  let held: (() => void)[] | undefined;
  const publish = (topic: unknown, body: unknown) => {
    if (held !== undefined) return void held.push(() => publish(topic, body));
    if (edge?.isDeaf === true) return;
    // As it arrives on another thread.
    if (topic === factsHeard) hear(structuredClone(body) as FactsHeard);
    if (topic === factsEnds) end(structuredClone(body) as FactsEnds);
  };
  const followed = followSpaces({ ...common, publish } as never, {
    kafka,
    servers: place.servers,
    group: `${place.names.followers}${name}`,
  });
  const self = {
    ...common,
    publish: () => undefined,
    shared: new SharedArrayBuffer(4 * 65_537),
    ref: () => ({ ask: async () => structuredClone(followed.known()) }),
  };
  const backend = kafkaSpaceBackend(self as never, {
    kafka: place.servers,
    mongo: { url: over.mongoUrl ?? place.mongoUrl },
    ...(over.redisUrl === undefined ? {} : { redis: { url: over.redisUrl, namespace: place.servers.namespace } }),
    isOnlyWorker: true,
    instance: name,
    verdictMs: over.verdictMs ?? 60_000,
  });
  hear = backend.heard;
  end = backend.ends;
  const edge: SpaceEdge = {
    ...backend,
    isDeaf: false,
    halt() {
      held = [];
      return {
        goOn() {
          const heard = held ?? [];
          held = undefined;
          for (const each of heard) each();
        },
      };
    },
    async change(command, { isCertain = false } = {}) {
      const appended = await backend.log.append(command, { verdict: !isCertain });
      const { verdict, position } = appended;
      const isPending = verdict === undefined && !isCertain;
      const documents = verdict?.kind === "decided" ? verdict.documents : [];
      await backend.consistent.wrote({ command, position, documents, isPending });
      return appended;
    },
    async get(userId, spaceId, id, token) {
      const { resource, isStale } = await backend.consistent.resource({ userId, token }, spaceId, id);
      return { version: resource?.version, isStale, text: resource?.text ?? "" };
    },
    async end() {
      stopping.abort();
      await followed.stop();
      await backend.close();
    },
  };
  await backend.begun(60_000);
  return edge;
}
