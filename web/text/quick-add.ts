/** A line as people write a task: `Call Bob tomorrow 9am #sales !high @ann`. */
import type { Due } from "../../actors/resources/due.ts";
import { dayOf, language } from "./language.ts";

export type Person = { readonly id: string; readonly name: string };
export type Parsed = {
  readonly title: string;
  readonly labels: string[];
  readonly priority: string | undefined;
  readonly assigneeIds: string[];
  readonly due: Due | undefined;
};
type DateParser = (text: string, now: Date) => (Due & { text: string }) | undefined;

let parser: DateParser | undefined;

/** The dates of the language: loaded when somebody begins to write, since they are as large as the rest of the page. */
export async function loadDates(): Promise<void> {
  if (parser !== undefined) return;
  const parsers = [(await import("chrono-node/en")).parse];
  if (language.value === "ru") parsers.push((await import("chrono-node/ru")).parse);
  parser = (text, now) => {
    for (const parse of parsers) {
      const [found] = parse(text, now, { forwardDate: true });
      if (found === undefined) continue;
      const date = found.start.date();
      const two = (number: number) => String(number).padStart(2, "0");
      const time = found.start.isCertain("hour") ? `${two(date.getHours())}:${two(date.getMinutes())}` : undefined;
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      return { text: found.text, date: dayOf(date), ...(time === undefined ? {} : { time, timeZone: zone }) };
    }
    return undefined;
  };
}

const mark = /(?:^|\s)([#!@])([\p{L}\p{N}_-]+)/gu;
const priorities = ["low", "medium", "high", "urgent"];

export function parseTask(text: string, people: readonly Person[], now = new Date()): Parsed {
  const labels: string[] = [];
  const assigneeIds: string[] = [];
  let priority: string | undefined;
  const rest = text.replace(mark, (whole, sign: string, word: string) => {
    if (sign === "#") labels.push(word.slice(0, 50).normalize("NFC"));
    else if (sign === "!") {
      const named = priorities.find((each) => each.startsWith(word.toLowerCase()));
      if (named === undefined) return whole;
      priority = named;
    } else {
      const person = people.find(({ name }) => name.toLowerCase().replaceAll(" ", "").startsWith(word.toLowerCase()));
      if (person === undefined) return whole;
      assigneeIds.push(person.id);
    }
    return " ";
  });
  const found = parser?.(rest, now);
  const bare = found === undefined ? rest : rest.replace(found.text, " ");
  const title = bare.replace(/\s+/g, " ").trim();
  const { text: _, ...due } = found ?? { text: "" };
  return {
    // A line that is a date and nothing else is a title.
    title: (title === "" ? text.trim() : title).slice(0, 500),
    labels: [...new Set(labels)].slice(0, 20),
    priority,
    assigneeIds: [...new Set(assigneeIds)],
    due: title === "" || found === undefined ? undefined : (due as Due),
  };
}
