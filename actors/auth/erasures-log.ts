/** Puts the erasure of a user's tasks into the log of tasks: Kafka's where there is one, else the mailbox of the writer in this process. */
import type { Self } from "../../runtime/actor.ts";
import { consumer } from "../consumer/messages.ts";
import type { AuthData } from "./main.ts";

export type ErasuresLog = {
  /** Resolves when the log has it for good; repeating it changes nothing. */
  erase(userId: string): Promise<void>;
  close(): Promise<void>;
};

const timeoutMs = 5_000;

/** Undefined where no log is reached: a process of this role alone that was not told where Kafka is. */
export async function erasuresInLog(
  self: Pick<Self<never, AuthData>, "args" | "ref">,
): Promise<ErasuresLog | undefined> {
  const { kafka, listen } = self.args;
  if (kafka !== undefined) return (await import("./erasures-kafka.ts")).erasuresInKafka(kafka);
  if (listen !== undefined) return undefined;
  return {
    async erase(userId) {
      await self.ref(consumer).ask("erase", { userId, at: new Date().toISOString() }, { timeoutMs });
    },
    close: async () => undefined,
  };
}
