/** The courier as an actor of this process. */
import type { Ref } from "../../runtime/actor.ts";
import type { courier } from "../courier/messages.ts";
import { Problem } from "../model/problem.ts";
import { webhookSecret } from "../model/webhook-secret.ts";
import type { Webhooks } from "./webhooks.ts";

const answerMs = 2_000;
/** An attempt takes 15 s at most. */
const testMs = 20_000;

export function localWebhooks(ref: Ref<typeof courier.accepts>, key: string): Webhooks {
  return {
    secretOf: (webhookId, generation) => webhookSecret(key, webhookId, generation),
    deliveries: (webhookId) => answered(ref.ask("deliveries", { webhookId }, { timeoutMs: answerMs })),
    move: (webhookId, how) => answered(ref.ask("move", { webhookId, how }, { timeoutMs: answerMs })),
    test: (webhookId) => answered(ref.ask("test", { webhookId }, { timeoutMs: testMs })),
  };
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (failure) {
    throw new Problem("overloaded", undefined, { cause: failure });
  }
}
