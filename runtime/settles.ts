import type { Clock } from "./clock.ts";

/** Whether the promise settles in time. */
export async function settlesWithin(promise: Promise<unknown>, ms: number, clock: Clock): Promise<boolean> {
  let cancel: () => void = () => undefined;
  const late = new Promise<boolean>((resolve) => {
    cancel = clock.later(ms, () => resolve(false));
  });
  const inTime = await Promise.race([promise.then(() => true), late]);
  cancel();
  return inTime;
}
