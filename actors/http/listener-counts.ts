/** What the listeners of this thread met. The runtimes tell nothing of connections that they close themselves (docs/guarantees.md). */
import { counter } from "../metrics/registry.ts";

/** How often the runtime gave up accepting (no file descriptor left), and the listener began anew. Counted on Deno alone: Bun goes on by itself. */
export const acceptErrors = counter("http_accept_errors_total", "Times that no connection could be accepted.");

const cut = counter("http_requests_cut_total", "Requests that were given up before they took effect, by reason.", {
  labels: ["reason"],
  known: [["parser"], ["slow"]],
});
/** The server's own parser refused what followed, or the client was gone. */
export const cutByParser = cut.of("parser");
/** The body was not whole within its deadline. */
export const cutAsSlow = cut.of("slow");
