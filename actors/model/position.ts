/** Where in the log a command stands. Offsets grow within a partition; without Kafka there is one partition, 0. */
export type Position = { readonly partition: number; readonly offset: number };
