/** What the listeners of this thread met. The runtimes tell nothing of connections that they close themselves (docs/guarantees.md). */
export const listenerCounts = {
  /** How often the runtime gave up accepting (no file descriptor left), and the listener began anew. Counted on Deno alone: Bun goes on by itself. */
  acceptErrors: 0,
  /** Requests that the server's own parser refused, or whose client was gone, before they took effect. */
  refusedByParser: 0,
  /** Bodies that were not whole within their deadline. */
  timedOut: 0,
};
