/** Small texts that the browser keeps for the page. Where it keeps none (a person may forbid it), they last as long as the page is open. */
import { storageName } from "./base.ts";

const here = new Map<string, string>();

/** Where it is forbidden, so are cookies, as a rule, and who is signed in is not known for long. */
export const isForbidden = !navigator.cookieEnabled || readsNothing();

function readsNothing(): boolean {
  try {
    localStorage.getItem("");
    return false;
  } catch {
    return true;
  }
}

export function readText(name: string): string | null {
  try {
    return localStorage.getItem(storageName(name)) ?? here.get(name) ?? null;
  } catch {
    return here.get(name) ?? null;
  }
}

/** Null takes it away. */
export function writeText(name: string, text: string | null): void {
  if (text === null) here.delete(name);
  else here.set(name, text);
  try {
    if (text === null) localStorage.removeItem(storageName(name));
    else localStorage.setItem(storageName(name), text);
  } catch {
    // It is here until the page is closed.
  }
}
