/** The log without Kafka: the mailbox's order is the log's order, and the writer numbers the commands as it takes them. */
import type { Command } from "../model/command.ts";
import type { Delivery } from "./apply.ts";

/** `next` is the offset after the last one in the store. A number given to a repeat is never stored; a batch that failed must be numbered anew, from the store. */
export function mailboxSource(next: number): { deliveries(commands: readonly Command[]): Delivery[] } {
  let offset = next;
  return {
    deliveries: (commands) =>
      commands.map((command) => {
        const delivery = { position: { partition: 0, offset }, command };
        offset += 1;
        return delivery;
      }),
  };
}
