/** A private Kafka that tells its clients to come through a proxy that can fail: they never see its own port. */
import type { KafkaServers } from "../../actors/servers.ts";
import type { PrivateService } from "../../deploy/services/services.ts";
import { type FaultProxy, faultProxy } from "./fault-proxy.ts";
import { type Missing, privateService } from "./services.ts";
import { advertise } from "./stack.ts";

export type KafkaBehindProxy = {
  readonly service: PrivateService;
  readonly proxy: FaultProxy;
  /** As an actor is given it, with topics and groups of one's own. */
  servers(namespace?: string): KafkaServers;
  stop(): Promise<void>;
};

export async function kafkaBehindProxy(partitions: number): Promise<KafkaBehindProxy | Missing> {
  const service = await privateService("kafka");
  if ("missing" in service) return service;
  const proxy = await faultProxy(service.port);
  await advertise(service, proxy.port);
  return {
    service,
    proxy,
    servers: (namespace = `${crypto.randomUUID().slice(0, 8)}.`) => ({
      brokers: [`127.0.0.1:${proxy.port}`],
      partitions,
      tls: false,
      namespace,
    }),
    async stop() {
      await proxy.close();
      await service.stop();
    },
  };
}
