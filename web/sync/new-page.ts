/** Whether the server has another edition of the page than this one: a tab stays open for days. */
import { signal } from "@preact/signals";
import { base } from "../base.ts";

/** What the page that is open was made from. */
const ownScript = document.querySelector<HTMLScriptElement>("script[type=module]")?.src;
const scriptForm = /<script type="module" src="([^"]+)"/;

export const isOutdated = signal(false);

/** Answers the script of the server's page; undefined where it cannot be told. */
export async function serversScript(): Promise<string | undefined> {
  try {
    const answer = await fetch(base, { cache: "no-cache" });
    const [, path] = scriptForm.exec(answer.ok ? await answer.text() : "") ?? [];
    return path === undefined ? undefined : new URL(path, base).href;
  } catch {
    return undefined;
  }
}

export function compare(script: string | undefined): void {
  if (script !== undefined && ownScript !== undefined && script !== ownScript) isOutdated.value = true;
}
