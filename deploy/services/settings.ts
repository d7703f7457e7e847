/** The names of the services, and what the environment says about them. */
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

export const serviceNames = ["postgres", "mongo", "redis", "kafka"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The variable that says where a service is. */
export const variableOf = {
  postgres: "DATABASE_URL",
  mongo: "MONGO_URL",
  redis: "REDIS_URL",
  kafka: "KAFKA_BROKERS",
} as const satisfies Record<ServiceName, string>;
export type Urls = { [Name in ServiceName as (typeof variableOf)[Name]]?: string };

const env = process.env;
const user = process.getuid?.() ?? 0;

/** Services that somebody else runs; an empty variable is none. */
export function givenUrl(name: ServiceName): string | undefined {
  return env[variableOf[name]] || undefined;
}

/** Where the shared set has its state: one folder a user. */
export const defaultDir = join(tmpdir(), `task-tracker-services-${user}`);

/** Begins the name of every private set's folder. */
export const privatePrefix = join(tmpdir(), `task-tracker-private-${user}-`);

/** What was downloaded once, and the locks. */
export const cacheDir = join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "task-tracker");

export const isContainersWanted = env.SERVICES_FROM === "containers";
/** Of Kafka given by KAFKA_BROKERS. */
export const isKafkaTls = env.KAFKA_TLS === "1";
export const isCi = env.CI === "true";
export const isRoot = user === 0;

/** The user's own variables with some more: for a program that we start. */
export function environment(more: Readonly<Record<string, string>> = {}): Record<string, string | undefined> {
  return { ...env, ...more };
}
