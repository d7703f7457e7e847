/** Names of topics and groups. */
import type { KafkaServers } from "../servers.ts";

export type Names = {
  /** The log: one command a record, keyed by task id. */
  readonly commands: string;
  /** What became of each command, on the partition of its number: positions of a task grow in both alike. */
  readonly events: string;
  /** Commands that could not be understood. */
  readonly parked: string;
  /** The group of all writers. */
  readonly writers: string;
  /** The group of those who keep the cache. */
  readonly keepers: string;
  /** What the groups of followers begin with. */
  readonly followers: string;
  /** The group that remembers how far parked commands have been put back. */
  readonly redrive: string;
};

/** Of topics and groups. */
export function namesIn({ namespace }: Pick<KafkaServers, "namespace">): Names {
  return {
    commands: `${namespace}task.commands`,
    events: `${namespace}task.events`,
    parked: `${namespace}task.parked`,
    writers: `${namespace}task.consumer`,
    keepers: `${namespace}task.cache-keeper`,
    followers: `${namespace}task.follower.`,
    redrive: `${namespace}task.redrive`,
  };
}

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
