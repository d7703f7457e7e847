/** What only one tab of a browser does at a time. */
import { storageName } from "../base.ts";

/** Without locks (a page without TLS that is not of this machine, or one that may keep nothing) each tab does it by itself. */
export async function oneTabAtATime<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const { locks } = navigator;
  if (locks === undefined) return await work();
  let begun: Promise<Result> | undefined;
  try {
    return await locks.request(storageName(name), () => {
      begun = work();
      return begun;
    });
  } catch (error) {
    // The browser may forbid locks with all else that it could keep.
    if (begun !== undefined) throw error;
    return await work();
  }
}
