/**
 * Whether the server's parser agrees that a request is over.
 *
 * `Bun.serve` calls the handler before it has parsed what follows: a trailer after a chunked body, or a second request in the same packet. It then
 * answers 400 or closes the connection, without any answer to what has taken effect. Its parser works through the packet within one turn of the loop, so
 * a turn later the request's signal tells. Deno parses both as it should, and reading `signal` there costs a warning.
 */
import { cutByParser } from "./listener-counts.ts";

const needsLook = (globalThis as { Deno?: unknown }).Deno === undefined;

/** To be called when the body is read and before anything takes effect. Resolves with false when nobody will get an answer. */
export async function isWhole(request: Request): Promise<boolean> {
  if (!needsLook) return true;
  await new Promise<void>((resolve) => void setImmediate(resolve));
  if (!request.signal.aborted) return true;
  cutByParser.add();
  return false;
}
