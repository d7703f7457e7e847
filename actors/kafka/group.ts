/** Membership of a consumer group: its times, and the leave of a member that died without a word. */
import { hostname } from "node:os";
import process from "node:process";
import type { Kafka } from "kafkajs";
import { settles } from "../waiting.ts";

/**
 * Of every consumer. A member that says nothing for a session's time is taken for dead; until then nobody works on its partitions. Heartbeats go on
 * while a batch is held (hold-batch.ts) or waits in its loop (../consumer/partition-loop.ts), so the time need not cover the longest batch; in
 * `rebalanceTimeout` those who hold one come to its end.
 * When kafkajs gives up it must not go on by itself: it would be another member, for which the group waits until the one before is known to be dead.
 */
export const membership = {
  sessionTimeout: 10_000,
  heartbeatInterval: 2_000,
  rebalanceTimeout: 30_000,
  maxWaitTimeInMs: 500,
  allowAutoTopicCreation: false,
  retry: { retries: 5, initialRetryTime: 100, maxRetryTime: 1_000, restartOnFailure: async () => false },
} as const;

/** A client's name at Kafka, the same for each life of an actor of this process: a container that is started again in its place has it too. */
export function memberName(of: string): string {
  return `task-tracker-${of}@${hostname()}:${process.pid}`;
}

const leaveMs = 3_000;

type Coordinator = {
  describeGroups(of: {
    groupIds: string[];
  }): Promise<{ groups: { members: { memberId: string; clientId: string }[] }[] }>;
  leaveGroup(of: { groupId: string; memberId: string }): Promise<unknown>;
};
/** What kafkajs 2.2.4 keeps to itself, though it has all of it. */
type Cluster = {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(of: { groupId: string }): Promise<Coordinator>;
};

/**
 * Takes members with this client's name out of the group, before it joins itself: they are its earlier lives, for whom the group would wait
 * until their sessions end. Should one of them live after all, it hears of it and joins again. Failing is no harm.
 */
export async function evictPreviousMembers(kafka: Kafka, groupId: string, clientName: string): Promise<void> {
  const make = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === "private:Kafka:createCluster",
  );
  if (make === undefined) return;
  const cluster = (kafka as unknown as Record<symbol, (options: object) => Cluster>)[make]?.({});
  if (cluster === undefined) return;
  const leaving = async () => {
    await cluster.connect();
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    const { groups } = await coordinator.describeGroups({ groupIds: [groupId] });
    for (const { memberId, clientId } of groups.flatMap(({ members }) => members))
      if (clientId === clientName) await coordinator.leaveGroup({ groupId, memberId });
  };
  await settles(leaving(), leaveMs);
  await settles(cluster.disconnect(), leaveMs);
}
