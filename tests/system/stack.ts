/** PostgreSQL, MongoDB, Redis and Kafka for one test file alone, each behind a proxy, to be hurt in every way. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PrivateService, ServiceName } from "../../deploy/services/services.ts";
import { type FaultProxy, faultProxy } from "./fault-proxy.ts";
import { type Missing, privateService } from "./services.ts";

export const serverNames = ["postgres", "mongo", "redis", "kafka"] as const satisfies readonly ServiceName[];

/** One server and the way to it. */
export type Hurt = {
  readonly name: ServiceName;
  readonly service: PrivateService;
  readonly proxy: FaultProxy;
  /** As a crash: the process is gone, connections are reset, and nobody listens. */
  kill(): Promise<void>;
  /** As a hang: the process is there and says nothing. */
  stop(): Promise<void>;
  /** Each answer takes this long. */
  slow(delayMs: number): Promise<void>;
  /** Ends whatever was done to it, and waits until it serves. */
  mend(): Promise<void>;
};

export type Stack = {
  /** Variables of a system on these servers. */
  readonly env: Readonly<Record<string, string>>;
  readonly servers: Readonly<Record<ServiceName, Hurt>>;
  close(): Promise<void>;
};

export async function stack(): Promise<Stack | Missing> {
  const begun = await Promise.all(serverNames.map((name) => privateService(name)));
  const missing = begun.find((each) => "missing" in each);
  const had = begun.filter((each): each is PrivateService => !("missing" in each));
  if (missing !== undefined) {
    await Promise.all(had.map((each) => each.stop()));
    return missing as Missing;
  }
  const servers = Object.fromEntries(
    await Promise.all(had.map(async (service) => [service.name, await hurt(service)] as const)),
  ) as Record<ServiceName, Hurt>;
  const through = ({ service, proxy }: Hurt) => service.url.replace(`:${service.port}`, `:${proxy.port}`);
  return {
    env: {
      DATABASE_URL: through(servers.postgres),
      MONGO_URL: through(servers.mongo),
      REDIS_URL: through(servers.redis),
      KAFKA_BROKERS: through(servers.kafka),
      TT_PARTITIONS: "4",
    },
    servers,
    async close() {
      await Promise.all(Object.values(servers).map(({ proxy }) => proxy.close()));
      await Promise.all(had.map((each) => each.stop()));
    },
  };
}

/** Puts a proxy in front of it; a Kafka sends its clients there too. */
export async function hurt(service: PrivateService): Promise<Hurt> {
  const proxy = await faultProxy(service.port);
  if (service.name === "kafka") await advertise(service, proxy.port);
  let how: "well" | "killed" | "stopped" | "slow" = "well";
  return {
    name: service.name as ServiceName,
    service,
    proxy,
    async kill() {
      how = "killed";
      await service.kill();
      await proxy.mode("refuse");
    },
    async stop() {
      how = "stopped";
      await service.pause();
    },
    async slow(delayMs) {
      how = "slow";
      await proxy.mode("slow", { delayMs: delayMs / 2 });
    },
    async mend() {
      if (how === "killed") await service.restart();
      if (how === "stopped") await service.resume();
      await proxy.mode("pass");
      how = "well";
    },
  };
}

/** Clients of Kafka go where it tells them to: to the proxy, from now on. */
async function advertise(kafka: PrivateService, port: number): Promise<void> {
  const file = join(kafka.dir, "server.properties");
  const properties = readFileSync(file, "utf8");
  writeFileSync(
    file,
    properties.replace(/^advertised\.listeners=.*$/m, `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`),
  );
  await kafka.restart();
}
