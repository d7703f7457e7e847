/** What is asked of the server directly, and not by the outbox: its outcome is told where it was asked. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { getJson } from "../sync/session.ts";
import { faultText } from "./sign-in.tsx";

/** A form whose outcome is told below it. */
export function useAttempt(): { told: string; isFault: boolean; attempt: (work: () => Promise<string>) => void } {
  const [told, setTold] = useState<{ text: string; isFault: boolean }>({ text: "", isFault: false });
  const attempt = (work: () => Promise<string>) => {
    work().then(
      (text) => setTold({ text, isFault: false }),
      (error) => setTold({ text: faultText(error), isFault: true }),
    );
  };
  return { told: told.text, isFault: told.isFault, attempt };
}

export function Told({ told, isFault }: { told: string; isFault: boolean }): JSX.Element | null {
  if (told === "") return null;
  return (
    <p class={isFault ? "fault" : "notice"} role={isFault ? "alert" : "status"}>
      {told}
    </p>
  );
}

/** What the server lists at this path; `again` reads it anew. */
export function useList<Item>(path: string): { items: readonly Item[]; again: () => void } {
  const [items, setItems] = useState<readonly Item[]>([]);
  const again = () => {
    getJson<{ items: Item[] }>(path).then(
      (page) => setItems(page.items),
      () => undefined,
    );
  };
  useEffect(again, [path]);
  return { items, again };
}
