/** Ports of this process, tried before anything else is touched. */
import { listen } from "../http/listen.ts";

/** The port cannot be had; the message is one clear line. */
export class PortError extends Error {
  override readonly name = "PortError";
}

/**
 * Listens for a moment, alone, to see that the port can be had; 0 is answered with a free one. Without this a second process could share a port
 * whose first owner allows it. `name` is the variable to blame.
 */
export async function tryPort(name: string, host: string, port: number): Promise<number> {
  try {
    const listener = listen(() => new Response(null, { status: 503 }), { host, port });
    await listener.stop();
    return listener.port;
  } catch (error) {
    throw new PortError(`Cannot listen on ${host}:${port} (${name}): ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const text =
    error instanceof Error ? `${(error as { code?: unknown }).code ?? ""} ${error.name} ${error.message}` : "";
  if (/in use|EADDRINUSE/i.test(text)) return "the port is in use";
  if (/EACCES|permission/i.test(text)) return "the system does not allow it";
  return "it is not an address of this machine";
}
