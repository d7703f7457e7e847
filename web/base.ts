/** Where the page is served: its own address, and what keeps its storage apart from that of other pages of the host. */

/** Ends with a slash. Scripts are one folder below it. */
export const base = new URL("..", import.meta.url);
export const basePath = base.pathname;
/** Without it there is no service worker, no lock between tabs and no `Secure` cookie. */
export const isSecure = globalThis.isSecureContext;
export const storageName = (name: string): string => `task-tracker${basePath}${name}`;
