import type { Load } from "./protocol.ts";

/** Sends `count` asks with so many in flight; resolves when all are answered. */
export async function inFlight(
  { count, inFlight: width }: Load,
  ask: (each: number) => Promise<unknown>,
): Promise<void> {
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < count) await ask(sent++);
  };
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane));
}

/** A turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Sends `count` tells, so many in a turn; what a send returns is waited for. */
export async function perTurn(
  count: number,
  width: number,
  tell: (each: number) => undefined | Promise<void>,
): Promise<void> {
  for (let sent = 0; sent < count; ) {
    let full: Promise<void> | undefined;
    for (const end = Math.min(sent + width, count); sent < end; sent++) full = tell(sent) ?? full;
    if (full !== undefined) await full;
    await turn();
  }
}
