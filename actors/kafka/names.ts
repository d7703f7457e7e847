/** Names of topics and groups. */
import type { KafkaServers } from "../servers.ts";

/** Names of what spaces have in Kafka. */
export type SpaceNames = {
  /** The log: one command a record, keyed by space id. */
  readonly commands: string;
  /** What became of each command, on the partition of its number. */
  readonly facts: string;
  /** Records of the log that were set aside. */
  readonly parked: string;
  /** The group of all writers. */
  readonly writers: string;
  /** The group of those who keep the cache. */
  readonly keepers: string;
  /** What the groups of followers begin with. */
  readonly followers: string;
  /** The group that remembers how far parked records have been put back. */
  readonly redrive: string;
};

export function spaceNamesIn({ namespace }: Pick<KafkaServers, "namespace">): SpaceNames {
  return {
    commands: `${namespace}commands`,
    facts: `${namespace}facts`,
    parked: `${namespace}parked`,
    writers: `${namespace}writers`,
    keepers: `${namespace}cache-keepers`,
    followers: `${namespace}follower.`,
    redrive: `${namespace}redrive`,
  };
}
