/** Whether the server has another edition of the page than this one, since a tab stays open for days, and how the page goes over to it. */
import { signal } from "@preact/signals";
import { base, basePath, isSecure } from "../base.ts";

/** What the page that is open was made from. */
const ownScript = document.querySelector<HTMLScriptElement>("script[type=module]")?.src;
const scriptForm = /<script type="module" src="([^"]+)"/;

export const isOutdated = signal(false);

const takeOverMs = 3_000;
/** Undefined where there are none: without TLS, or where the browser forbids them. */
const workers = isSecure && "serviceWorker" in navigator ? navigator.serviceWorker : undefined;

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

/** The worker of another edition waits until it is loaded; that of this page's own edition takes over as soon as it is there. */
export async function registerWorker(): Promise<void> {
  const registration = await workers
    ?.register(`${basePath}service-worker.js`, { scope: basePath })
    .catch(() => undefined);
  if (registration === undefined) return;
  const look = async () => {
    // The first one of a browser has nobody to wait for.
    if (registration.waiting === null || registration.active === null) return;
    const script = await serversScript();
    compare(script);
    if (script !== undefined && !isOutdated.peek()) takeOver(registration);
  };
  registration.addEventListener("updatefound", () => {
    registration.installing?.addEventListener("statechange", () => void look());
  });
  await look();
}

function takeOver({ waiting }: ServiceWorkerRegistration): void {
  waiting?.postMessage("take over");
}

export async function loadNewPage(): Promise<void> {
  const registration = await workers?.getRegistration(basePath).catch(() => undefined);
  if (workers !== undefined && registration?.waiting != null) {
    const hasTakenOver = new Promise<void>((resolve) => {
      workers.addEventListener("controllerchange", () => resolve(), { once: true });
      setTimeout(resolve, takeOverMs);
    });
    takeOver(registration);
    await hasTakenOver;
  }
  location.reload();
}
