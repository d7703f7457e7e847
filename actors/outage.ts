/** Tells of an outage once when it begins and once when it is over, however often it is noticed. */
import type { Self } from "../runtime/actor.ts";
import { causeOf } from "./cause.ts";
import { addressOf } from "./servers.ts";

export type Outage = { failed(error: unknown): void; succeeded(): void };

/** What is named in both lines. */
export type OutageOf = {
  readonly server: "auth" | "collector" | "kafka" | "mongodb" | "postgresql" | "redis";
  /** URLs, or `host:port`; of a URL nothing but that is told. */
  readonly urls: readonly string[];
  /** What cannot be done meanwhile, as the end of the sentence "Cannot ...". */
  readonly step: string;
};

/** The lines `server-away`, with the reason, and `server-back`. */
export function outage(log: Self["log"], { server, urls, step }: OutageOf): Outage {
  const of = { server, address: urls.map(addressOf).join(","), step };
  return onceEach({
    began: (reason) => log("warn", "server-away", { ...of, reason }),
    over: () => log("info", "server-back", of),
  });
}

/** The same in other lines, where it is not one server that is away. */
export function onceEach(tell: { began: (reason: string) => void; over: () => void }): Outage {
  let isOn = false;
  return {
    failed(error) {
      if (!isOn) tell.began(causeOf(error));
      isOn = true;
    },
    succeeded() {
      if (isOn) tell.over();
      isOn = false;
    },
  };
}
