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
/** Others may have caches on this host as well. */
const ownCaches = `${scope.registration.scope} shell `;
const cacheName = `${ownCaches}${SHELL.join(" ")}`;
/** A server that has not begun to answer by then keeps nobody waiting: the page is here. */
const answerTimeoutMs = 4_000;

scope.addEventListener("install", (event) => {
  const kept = caches
    .open(cacheName)
    .then((cache) => cache.addAll(SHELL.map((path) => scope.registration.scope + path)));
  (event as Extendable).waitUntil(kept);
});

// The browser aborts what the worker before has under way when the next one takes over: a page says when.
scope.addEventListener("message", (event) => {
  if ((event as MessageEvent).data === "take over") void scope.skipWaiting();
});

scope.addEventListener("activate", (event) => {
  (event as Extendable).waitUntil(removeOld().then(() => scope.clients.claim()));
});

/** What came just before stays: a page of it may be open, and load more of its own files later, which the server has no more. */
async function removeOld(): Promise<void> {
  const names = await caches.keys();
  const others = names.filter((name) => name.startsWith(ownCaches) && name !== cacheName);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
}

scope.addEventListener("fetch", (event) => {
  const { request } = event as Fetching;
  const path = request.url.split(/[?#]/)[0]?.slice(scope.registration.scope.length) ?? "";
  if (request.method !== "GET" || !request.url.startsWith(scope.registration.scope)) return;
  if (path === "") (event as Fetching).respondWith(pageOf(request));
  else if (path.startsWith("assets/")) (event as Fetching).respondWith(assetOf(request));
});

/** From the server where it answers, so that a new version is seen at once; as it is kept where a proxy says that the server is away, or nobody says anything. */
async function pageOf(request: Request): Promise<Response> {
  const asked = fetch(request).catch(() => Response.error());
  const answer = await Promise.race([asked, late()]);
  const isThere = answer !== undefined && answer.type !== "error" && answer.status < 500;
  if (isThere) return answer;
  const own = await caches.open(cacheName);
  return (await own.match(scope.registration.scope)) ?? (await asked);
}

function late(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, answerTimeoutMs, undefined));
}

async function assetOf(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}
