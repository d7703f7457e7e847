/** What only one tab of a browser does at a time. */
import { storageName } from "../base.ts";

/** Without locks (a page without TLS that is not of this machine) each tab does it by itself. */
export async function oneTabAtATime<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const { locks } = navigator;
  if (locks === undefined) return await work();
  return await locks.request(storageName(name), work);
}
