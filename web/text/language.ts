/** The language and how dates are written in it. */
import { signal } from "@preact/signals";
import type { Due } from "../../actors/resources/due.ts";
import { readText, writeText } from "../kept-texts.ts";
import { en, type Message, type Messages } from "../messages/en.ts";
import { ru } from "../messages/ru.ts";
import { instantMsOf } from "./due-instant.ts";

export const languages = { en: "English", ru: "Русский" } as const;
export type Language = keyof typeof languages;
const all: Record<Language, Messages> = { en, ru };
const kept = "language";

export const language = signal<Language>(wanted());

function wanted(): Language {
  const chosen = [readText(kept), ...navigator.languages.map((each) => each.slice(0, 2))];
  return (chosen.find((each) => each !== null && Object.hasOwn(all, each)) as Language | undefined) ?? "en";
}

export function choose(next: Language): void {
  writeText(kept, next);
  language.value = next;
}

export type Key = keyof Messages;

export const hasText = (key: string): key is Key => Object.hasOwn(en, key);

export function t(key: Key, values: Readonly<Record<string, string | number>> = {}): string {
  return textOf(all[language.value][key], values.n).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return typeof value === "number" ? numberText(value) : (value ?? whole);
  });
}

/** Of a text that has forms the one for so many things. */
function textOf(message: Message, n: string | number | undefined): string {
  if (typeof message === "string") return message;
  return message[new Intl.PluralRules(language.value).select(Number(n))] ?? message.other;
}

let numbers: { readonly of: string; readonly format: Intl.NumberFormat } | undefined;
export function numberText(number: number): string {
  const of = locale();
  if (numbers?.of !== of) numbers = { of, format: new Intl.NumberFormat(of) };
  return numbers.format.format(number);
}

/** The name of a status or priority. */
export function nameOf(value: string): string {
  return t((value === "done" ? "statusDone" : value) as Key);
}

const two = (number: number) => String(number).padStart(2, "0");

/** A day of this browser's calendar. */
export function dayOf(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

function timeOf(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

/** A page stays open over midnight, and a computer sleeps through it. */
export const today = signal(dayOf(new Date()));
const lookEveryMs = 30_000;
const look = () => {
  today.value = dayOf(new Date());
};
setInterval(look, lookEveryMs);
document.addEventListener("visibilitychange", look);

export function addDays(day: string, days: number): string {
  const date = new Date(`${day}T12:00:00`);
  date.setDate(date.getDate() + days);
  return dayOf(date);
}

/** The day on which something is due here, whatever zone it was said in. */
export function dueDay(due: Due): string {
  const at = instantMsOf(due);
  return at === undefined ? due.date : dayOf(new Date(at));
}

/** For an order of the days and times that are shown here: of a day, what has no time comes last. */
export function dueOrder(due: Due): string {
  const at = instantMsOf(due);
  return at === undefined ? `${due.date} ${due.time ?? "24"}` : `${dueDay(due)} ${timeOf(new Date(at))}`;
}

export function dueText(due: Due): string {
  const day = dueDay(due);
  const at = instantMsOf(due);
  const time = at === undefined ? due.time : format(new Date(at), { hour: "numeric", minute: "2-digit" });
  return `${dayText(day)}${time === undefined ? "" : `, ${time}`}`;
}

function dayText(day: string): string {
  const now = today.value;
  if (day === now) return t("today");
  if (day === addDays(now, 1)) return t("tomorrow");
  if (day === addDays(now, -1)) return t("yesterday");
  const date = new Date(`${day}T12:00:00`);
  const isNear = day > now && day < addDays(now, 7);
  if (isNear) return format(date, { weekday: "long" });
  const year = day.slice(0, 4) === now.slice(0, 4) ? {} : ({ year: "numeric" } as const);
  return format(date, { day: "numeric", month: "short", ...year });
}

/** The browser's own variety of the language, which writes dates its own way (British or American English). */
function locale(): string {
  return navigator.languages.find((each) => each.slice(0, 2) === language.value) ?? language.value;
}

export function format(date: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(), options).format(date);
}

export function fullMomentText(instant: string): string {
  return format(new Date(instant), {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "numeric",
    minute: "2-digit",
  });
}

export function momentText(instant: string): string {
  const date = new Date(instant);
  const minutes = Math.round((date.getTime() - Date.now()) / 60_000);
  const relative = new Intl.RelativeTimeFormat(locale(), { numeric: "auto" });
  if (Math.abs(minutes) < 60) return relative.format(Math.min(0, minutes), "minute");
  if (Math.abs(minutes) < 24 * 60) return relative.format(Math.round(minutes / 60), "hour");
  return format(date, { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" });
}
