/** The auth role as an actor of this process. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Self } from "../../../runtime/actor.ts";
import { auth } from "../../auth/messages.ts";
import { causeOf } from "../../cause.ts";
import { type Accounts, type Learn, unknownKeys } from "../accounts.ts";
import { forward } from "../auth-forward.ts";

const standingAskMs = 2_000;
const standingPauseMs = 100;
const readyMs = 1_000;

/** Learns auth's keys by asking until it answers: it may be restarting, or waiting for its database. */
export function accountsHere(self: Pick<Self, "ref" | "log" | "stopping">, { learn }: Learn): Accounts {
  const ref = self.ref(auth);
  const learnNow = async () => learn(await ref.ask("standing", null, { timeoutMs: standingAskMs }));
  async function learning(): Promise<void> {
    for (let tries = 1; !self.stopping.aborted; tries++) {
      try {
        return await learnNow();
      } catch (failure) {
        if (tries === 1) self.log("warn", "auth-not-reached", { step: "learn its keys", reason: causeOf(failure) });
        await sleep(standingPauseMs);
      }
    }
  }
  let isKnown = false;
  const learned = learning().then(() => {
    isKnown = true;
  });
  return {
    forward: (request, remoteAddress) => forward(ref, request, remoteAddress),
    apiToken: ({ hash }) => ref.ask("apiToken", { hash }),
    session: ({ userId, sessionId }) => ref.ask("session", { userId, sessionId }),
    known: () => learned,
    catchUp: learnNow,
    ready: async () => void (await ref.ask("ready", null, { timeoutMs: readyMs })),
    probe() {
      if (!isKnown) throw unknownKeys();
    },
    close: () => undefined,
  };
}
