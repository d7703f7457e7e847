/** What is asked of the server directly, and not by the outbox: its outcome is told where it was asked. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { surely } from "../sync/again.ts";
import { getJson } from "../sync/session.ts";
import { faultText } from "./sign-in.tsx";

type Outcome = { readonly told: string; readonly isFault: boolean };
/** What was entered in a form. */
export type Entered = {
  /** Empty where nothing was, or there is no such field. */
  text(name: string): string;
  /** Makes the form as it was at first. */
  reset(): void;
};

/** A form whose outcome is told below it. `work` answers what to say. */
export function useForm(
  work: (entered: Entered) => Promise<string>,
  { isSure = () => true }: { isSure?: () => boolean } = {},
): { onSubmit: (event: SubmitEvent) => void; outcome: Outcome } {
  const { attempt, ...outcome } = useAttempt();
  const onSubmit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const given = new FormData(form);
    const entered = { text: (name: string) => String(given.get(name) ?? ""), reset: () => form.reset() };
    if (isSure()) attempt(() => work(entered));
  };
  return { onSubmit, outcome };
}

export function useAttempt(): Outcome & { attempt: (work: () => Promise<string>) => void } {
  const [told, setTold] = useState<{ text: string; isFault: boolean }>({ text: "", isFault: false });
  const attempt = (work: () => Promise<string>) => {
    work().then(
      (text) => setTold({ text, isFault: false }),
      (error) => setTold({ text: faultText(error), isFault: true }),
    );
  };
  return { told: told.text, isFault: told.isFault, attempt };
}

export function Told({ told, isFault }: Outcome): JSX.Element | null {
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
  const [times, setTimes] = useState(0);
  useEffect(() => {
    const ended = new AbortController();
    void surely(async () => setItems((await getJson<{ items: Item[] }>(path, ended.signal)).items), ended.signal);
    return () => ended.abort();
  }, [path, times]);
  return { items, again: () => setTimes((before) => before + 1) };
}
