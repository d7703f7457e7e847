/** Several tabs of one browser: one of them leads, that is sends changes and hears events; the others are told. */
import { signal } from "@preact/signals";
import type { FeedFact } from "../../actors/resources/fact.ts";
import { storageName } from "../base.ts";
import type { Access } from "./session.ts";

export type Told =
  | { readonly kind: "fact"; readonly fact: FeedFact }
  | { readonly kind: "space"; readonly spaceId: string }
  | { readonly kind: "spaces" }
  | { readonly kind: "outbox" }
  /** The leader knows how a change ended; without an operation where it was refused. */
  | { readonly kind: "verdict"; readonly key: string; readonly operationId?: string }
  /** A change was taken back while the leader may be sending it. */
  | { readonly kind: "taken-back"; readonly key: string }
  | { readonly kind: "online"; readonly isOnline: boolean }
  /** The script of the server's page: each tab may be of another edition. */
  | { readonly kind: "page"; readonly script: string }
  | { readonly kind: "token"; readonly access: Access }
  /** `isEnded`: nobody of this browser asked for it. */
  | { readonly kind: "signed-out"; readonly isEnded: boolean };

export const isLeader = signal(false);

const channel = open();

function open(): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(storageName("tabs"));
  } catch {
    return undefined;
  }
}

export function tell(what: Told): void {
  channel?.postMessage(what);
}

export function hear(how: (what: Told) => void): void {
  channel?.addEventListener("message", ({ data }) => how(data as Told));
}

/** Resolves when this tab leads; without locks each tab leads itself. */
export async function lead(): Promise<void> {
  const { locks } = navigator;
  if (locks !== undefined)
    await new Promise<void>((resolve) => {
      locks
        .request(storageName("leader"), () => {
          resolve();
          return new Promise(() => undefined);
        })
        // Where the browser forbids locks.
        .catch(() => resolve());
    });
  isLeader.value = true;
}
