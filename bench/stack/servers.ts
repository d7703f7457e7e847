/** Connections of the references and of those who watch, to the servers of a place (deploy/services/place.ts). */

import type { Kafka } from "kafkajs";
import { type Db, MongoClient } from "mongodb";
import { kafkaClient } from "../../actors/kafka/client.ts";
import type { KafkaServers } from "../../actors/servers.ts";

/** As many as a system makes unless told otherwise. */
export const partitions = 12;

export type Env = Readonly<Record<string, string>>;

/** The servers of a system that is started with these variables. */
export function kafkaServersOf({ KAFKA_BROKERS = "", TT_NAMESPACE = "" }: Env): KafkaServers {
  return { brokers: KAFKA_BROKERS.split(","), partitions, namespace: `${TT_NAMESPACE}.`, tls: false };
}

/** A topic of the references, in the place's namespace. */
export function topicOf({ TT_NAMESPACE }: Env, name: string): string {
  return `${TT_NAMESPACE}.bench.${name}`;
}

export function connectKafka(env: Env): Kafka {
  return kafkaClient(kafkaServersOf(env), "task-tracker-bench");
}

/** Writes are on disk before they are answered, and not recorded for a repetition, as the system's are. */
export function connectMongo({ MONGO_URL = "" }: Env): { db: Db; close(): Promise<void> } {
  const client = new MongoClient(MONGO_URL, {
    writeConcern: { w: "majority", journal: true },
    retryWrites: false,
    maxPoolSize: 20,
  });
  return { db: client.db(), close: () => client.close() };
}
