/** The courier as an actor of this process. */
import type { Ref } from "../../../runtime/actor.ts";
import type { courier } from "../../courier/messages.ts";
import { Problem } from "../../model/problem.ts";
import { type Deliverer, moveMs, testMs } from "../webhooks.ts";

export function localDeliverer(ref: Ref<typeof courier.accepts>): Deliverer {
  return {
    deliveries: ({ id: webhookId }) => answered(ref.ask("deliveries", { webhookId }, { timeoutMs: moveMs })),
    request({ id: webhookId }, request) {
      const timeoutMs = request.action.kind === "test" ? testMs : moveMs;
      return answered(ref.ask("request", { webhookId, request }, { timeoutMs }));
    },
  };
}

async function answered<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (failure) {
    throw new Problem("overloaded", undefined, { cause: failure });
  }
}
