/** A place of one's own on servers that others use too: a database each, and a namespace for what is shared. */
import { Redis } from "ioredis";
import { MongoClient } from "mongodb";
import postgres from "postgres";
import { kafkaClient } from "../../actors/kafka/client.ts";
import type { Urls } from "./settings.ts";

export type ServerName = keyof Urls;
export const allServers: readonly ServerName[] = ["DATABASE_URL", "MONGO_URL", "REDIS_URL", "KAFKA_BROKERS"];

/** `env` is what a system is given to stand there. `remove` is for when nobody uses it any more. */
export type Place = { readonly env: Readonly<Record<string, string>>; remove(): Promise<void> };

export async function placeOn(
  urls: Record<ServerName, string>,
  names: readonly ServerName[] = allServers,
  { prefix = "test", partitions = 4 }: { prefix?: string; partitions?: number } = {},
): Promise<Place> {
  const id = crypto.randomUUID().slice(0, 8);
  const database = `${prefix}_${id}`;
  const namespace = `${prefix}-${id}`;
  const env: Record<string, string> = { TT_NAMESPACE: namespace, TT_PARTITIONS: String(partitions) };
  const admin = postgres(urls.DATABASE_URL, { max: 1, onnotice: () => {} });
  if (names.includes("DATABASE_URL")) {
    await admin.unsafe(`CREATE DATABASE ${database}`);
    env.DATABASE_URL = withPath(urls.DATABASE_URL, database);
  }
  if (names.includes("MONGO_URL")) env.MONGO_URL = withPath(urls.MONGO_URL, database);
  if (names.includes("REDIS_URL")) env.REDIS_URL = urls.REDIS_URL;
  if (names.includes("KAFKA_BROKERS")) env.KAFKA_BROKERS = urls.KAFKA_BROKERS;
  return {
    env,
    async remove() {
      if (env.DATABASE_URL !== undefined) await admin.unsafe(`DROP DATABASE ${database} WITH (FORCE)`);
      await admin.end({ timeout: 2 });
      if (env.MONGO_URL !== undefined) await dropDatabase(env.MONGO_URL);
      if (env.REDIS_URL !== undefined) await forgetKeys(env.REDIS_URL, `${namespace}.*`);
      if (env.KAFKA_BROKERS !== undefined) await deleteTopics(env.KAFKA_BROKERS, `${namespace}.`);
    },
  };
}

function withPath(url: string, name: string): string {
  const parts = new URL(url);
  parts.pathname = `/${name}`;
  return parts.href;
}

async function dropDatabase(url: string): Promise<void> {
  const mongo = new MongoClient(url);
  await mongo.db().dropDatabase();
  await mongo.close();
}

/** Removes all keys that match. */
export async function forgetKeys(url: string, pattern: string): Promise<void> {
  const redis = new Redis(url);
  for await (const found of redis.scanStream({ match: pattern, count: 1_000 }) as AsyncIterable<string[]>)
    if (found.length > 0) await redis.unlink(...found);
  redis.disconnect();
}

async function deleteTopics(brokers: string, prefix: string): Promise<void> {
  const servers = { brokers: brokers.split(","), partitions: 1, namespace: "", tls: false };
  const admin = kafkaClient(servers, "task-tracker-place").admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(prefix));
  if (topics.length > 0) await admin.deleteTopics({ topics });
  await admin.disconnect();
}
