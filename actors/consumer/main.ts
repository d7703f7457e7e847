/** The single writer: takes what the mailbox holds as one batch, commits it, answers, announces. */
import type { DatabaseSync } from "node:sqlite";
import { behave, type Self } from "../../runtime/actor.ts";
import { fault } from "../debug.ts";
import { apply } from "./apply.ts";
import { openDatabase } from "./database.ts";
import { announced, consumer } from "./messages.ts";
import { mailboxSource } from "./source-mailbox.ts";
import { sqliteStore } from "./store-sqlite.ts";

export type ConsumerData = { dataDir: string; debugFaults: boolean };

type State = {
  readonly self: Self<typeof consumer.accepts, ConsumerData>;
  readonly db: DatabaseSync;
  readonly store: ReturnType<typeof sqliteStore>;
  source: ReturnType<typeof mailboxSource>;
  /** The latest batch could not be committed: told in the log once, not for each try. */
  failing: boolean;
};

export default behave<typeof consumer.accepts, State, ConsumerData>(consumer, {
  start(self) {
    const db = openDatabase(self.data.dataDir);
    const store = sqliteStore(db);
    return { self, db, store, source: mailboxSource(store.end()), failing: false };
  },
  on: {
    ready: () => null,
    debug({ self }, { how }) {
      if (self.data.debugFaults) fault(how);
    },
  },
  batch: {
    kinds: ["append"],
    max: 256,
    async on(state, messages) {
      try {
        const outcomes = await apply(
          state.store,
          state.source.deliveries(messages.flatMap((message) => (message.kind === "append" ? [message.body] : []))),
        );
        if (state.failing) state.self.log("info", "commits-again", {});
        state.failing = false;
        state.self.publish(announced, outcomes);
        return outcomes;
      } catch (error) {
        recover(state, error as Error);
        return messages.map(() => error);
      }
    },
  },
  stop({ db }) {
    db.close();
  },
});

/**
 * After a batch that was rolled back (a full disk, for one) the numbers go on from what the file has, and whoever asked repeats: dying of it
 * would use up the supervisor's patience while the disk stays full. Only a file that cannot be read either needs a fresh start.
 */
function recover(state: State, error: Error): void {
  try {
    state.source = mailboxSource(state.store.end());
  } catch {
    state.self.fail(error);
    return;
  }
  if (!state.failing) state.self.log("error", "commit-failed", { reason: error.message });
  state.failing = true;
}
