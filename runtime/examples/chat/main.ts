/** A chat room: people say lines, everyone hears them in one order, and a bot answers. */
import { isMainThread } from "node:worker_threads";
import { child, supervise, system } from "../../mod.ts";
import { serveActors } from "../../worker.ts";
import { bot } from "./bot.ts";
import { room, spoken } from "./room.ts";

async function main(): Promise<void> {
  // When the room fails its history is gone, so the bot, which depends on it, begins anew with it.
  const app = system({
    tree: supervise("rest_for_one", { intensity: 5, periodMs: 30_000 }, [child(room), child(bot)]),
    worker: new URL(import.meta.url),
  });
  await app.start();

  const answered = Promise.withResolvers<void>();
  app.subscribe(spoken, ({ from, text }) => {
    console.log(`${from}: ${text}`);
    if (from === "bot") answered.resolve();
  });

  const ref = app.ref(room);
  await ref.tell("say", { from: "ada", text: "good morning" });
  await ref.tell("say", { from: "grace", text: "good morning, ada" });
  await ref.tell("say", { from: "ada", text: "bot, what have I said?" });
  await answered.promise;

  const lines = await ref.ask("history", null);
  console.log(`${lines.length} lines in the room`);
  await app.stop();
}

if (isMainThread) await main();
else serveActors({ room: () => import("./room.ts"), bot: () => import("./bot.ts") });
