/** How the servers of the real backends are reached, as the configuration gives it and the tree hands it on. */

/** `password` goes before the URL's own; `ca` is a PEM of further certificate authorities. */
export type Server = {
  readonly url: string;
  readonly password?: string;
  readonly ca?: string;
  /** Before all keys; only in Redis. */
  readonly namespace?: string;
};

export type KafkaServers = {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  /** Of the topics when they are made; later they stay as they are. */
  readonly partitions: number;
  /** Days after which commands are forgotten; never unless given. */
  readonly logRetentionDays?: number;
  readonly tls: boolean;
  readonly ca?: string;
  /** Before the names of topics and groups. */
  readonly namespace: string;
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string };
};
export type SaslMechanism = "plain" | "scram-sha-256" | "scram-sha-512";

/** Where a URL leads, for a log line: hosts and ports, and nothing else of it. */
export function addressOf(url: string): string {
  const behindCredentials = url.slice(url.lastIndexOf("@") + 1).replace(/^[a-z][a-z0-9+.-]*:\/\//i, "");
  return behindCredentials.replace(/[/?#].*$/s, "");
}
