/** An announcement as a record: written by our own writers; what is none of theirs is passed over. */
import type { KafkaMessage } from "kafkajs";
import type { Announcement } from "../model/command.ts";

export function readAnnouncements(messages: readonly Pick<KafkaMessage, "value">[]): Announcement[] {
  return messages.flatMap(({ value }) => {
    try {
      const said = JSON.parse(value?.toString() ?? "") as Announcement;
      return Number.isSafeInteger(said.taken.offset) && Number.isSafeInteger(said.taken.partition) ? [said] : [];
    } catch {
      return [];
    }
  });
}
