/** A connection to Kafka with bounds that fit an HTTP server, on which producers, consumers and admins are made. */
import { rootCertificates } from "node:tls";
import { Kafka, logLevel, type SASLOptions } from "kafkajs";
import type { KafkaServers } from "../servers.ts";
import "./patches/dead-connections.ts";
import "./patches/request-queue.ts";

/** Brokers answer in milliseconds; a connection that takes longer than this is none. */
const connectMs = 3_000;
/** Kafka's own work (joining a group, making a topic) included. */
const servingRequestMs = 5_000;
/** For a tool, which has the time: a broker under load may need longer for one request, and nobody's answer depends on it. */
export const toolRequestMs = 60_000;

/** `clientId` tells brokers who asks. Nothing is connected yet. kafkajs' own log lines would name hosts and repeat what we log ourselves, so they are dropped. */
export function kafkaClient(
  servers: KafkaServers,
  clientId: string,
  { requestMs = servingRequestMs }: { readonly requestMs?: number } = {},
): Kafka {
  const { brokers, tls, ca, sasl } = servers;
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: connectMs,
    authenticationTimeout: connectMs,
    requestTimeout: requestMs,
    enforceRequestTimeout: true,
    retry: { retries: 5, initialRetryTime: 50, maxRetryTime: 1_000 },
    logLevel: logLevel.NOTHING,
    ...(tls ? { ssl: ca === undefined ? true : { ca: [...rootCertificates, ca] } } : {}),
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as SASLOptions }),
  });
}
