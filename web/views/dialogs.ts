/** Which of the dialogs that keys open is open. */
import { signal } from "@preact/signals";

export const open = signal<"palette" | "keys" | "create" | undefined>(undefined);
/** Words with which the palette opens, to be looked for among tasks that were completed long ago, too. */
export const olderWords = signal("");

export function searchWith(words: string): void {
  olderWords.value = words;
  open.value = "palette";
}
