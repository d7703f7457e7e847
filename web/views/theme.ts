/** Light or dark: as the system has it, unless chosen. */
import { effect, signal } from "@preact/signals";
import { readText, writeText } from "../kept-texts.ts";

export const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];
const kept = "theme";
const stored = readText(kept) as Theme | null;
export const theme = signal<Theme>(stored !== null && themes.includes(stored) ? stored : "system");
const system = matchMedia("(prefers-color-scheme: dark)");
const isSystemDark = signal(system.matches);
system.addEventListener("change", () => {
  isSystemDark.value = system.matches;
});

effect(() => {
  const isDark = theme.value === "dark" || (theme.value === "system" && isSystemDark.value);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
});

export function chooseTheme(next: Theme): void {
  writeText(kept, next);
  theme.value = next;
}

export function toggleTheme(): void {
  chooseTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
}
