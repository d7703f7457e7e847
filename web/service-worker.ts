/** Keeps the page's own files, so that it opens without a network. What the API answers is never kept here. */

/** Paths below the page's own, put in by the bundler. */
declare const SHELL: readonly string[];

type Extendable = Event & { waitUntil(until: Promise<unknown>): void };
type Fetching = Extendable & { readonly request: Request; respondWith(answer: Promise<Response>): void };
type Scope = EventTarget & {
  readonly registration: { readonly scope: string };
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
};

const scope = globalThis as unknown as Scope;
const cacheName = `shell ${SHELL.join(" ")}`;

scope.addEventListener("install", (event) => {
  const kept = caches
    .open(cacheName)
    .then((cache) => cache.addAll(SHELL.map((path) => scope.registration.scope + path)));
  (event as Extendable).waitUntil(kept.then(() => scope.skipWaiting()));
});

scope.addEventListener("activate", (event) => {
  const cleaned = caches
    .keys()
    .then((names) => Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name))));
  (event as Extendable).waitUntil(cleaned.then(() => scope.clients.claim()));
});

scope.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  const path = request.url.split(/[?#]/)[0]?.slice(scope.registration.scope.length) ?? "";
  if (request.method !== "GET" || !request.url.startsWith(scope.registration.scope)) return;
  if (path === "") (event as Fetching).respondWith(pageOf(request));
  else if (path.startsWith("assets/")) (event as Fetching).respondWith(assetOf(request));
});

/** From the server where it answers, so that a new version is seen at once. */
async function pageOf(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch {
    return (
      (await caches.match(`${scope.registration.scope}./`)) ??
      (await caches.match(scope.registration.scope)) ??
      Response.error()
    );
  }
}

async function assetOf(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}
