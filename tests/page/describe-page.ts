/** How tests of the page begin: a real browser, and the real system in one process, on embedded stores and, where asked for, on the four servers. */
import { afterAll, beforeAll } from "bun:test";
import { type Browser, browser, closeBrowser } from "../system/browser.ts";
import { type Place, placeOn, type ServerName, servers } from "../system/deployments.ts";
import { cleanUp, type StartOptions, type System, start } from "../system/server.ts";
import { describeWith } from "../system/services.ts";

export type Given = {
  readonly chromium: Browser;
  /** One that all tests of the group share, there from the first use of `url` in a test or hook on. */
  readonly system: Pick<System, "url" | "dataDir">;
  /** Another one, where the shared one stands: on the same servers, and in one process in a folder of its own. */
  another(options?: StartOptions): Promise<System>;
};

const hookDeadlineMs = 180_000;

/** To be awaited at the top of a test file. `onServers`: the same tests once more over servers. */
export async function describePage(
  title: string,
  { onServers = false }: { onServers?: boolean },
  tests: (given: Given) => void,
): Promise<void> {
  afterAll(async () => {
    await closeBrowser();
    await cleanUp();
  }, hookDeadlineMs);
  const had = await browser();
  describeWith(`${title}, in one process`, [had], ({ browser: chromium }) => begin(chromium, undefined, tests));
  if (onServers)
    describeWith(`${title}, on servers`, [had, await servers()], ({ browser: chromium }, urls) =>
      begin(chromium, urls, tests),
    );
}

function begin(chromium: Browser, urls: Record<ServerName, string> | undefined, tests: (given: Given) => void): void {
  let place: Place | undefined;
  let system: System | undefined;
  beforeAll(async () => {
    place = urls === undefined ? undefined : await placeOn(urls);
    system = await start({ env: place?.env ?? {} });
  }, hookDeadlineMs);
  afterAll(async () => {
    await system?.end("SIGTERM");
    await place?.remove();
  }, hookDeadlineMs);
  const started = (): System => {
    if (system === undefined) throw new Error("Cannot tell where it is: the system has not been started");
    return system;
  };
  tests({
    chromium,
    system: {
      get url() {
        return started().url;
      },
      get dataDir() {
        return started().dataDir;
      },
    },
    another: async ({ env, ...options } = {}) => await start({ ...options, env: { ...place?.env, ...env } }),
  });
}
