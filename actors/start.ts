/** Starts the system: arguments, configuration, ports, folder, tree, admin port. Whatever is wrong before the tree starts is told in one clear line each, with exit code 2. */
import process from "node:process";
import manifest from "../package.json" with { type: "json" };
import { usersFile } from "./auth/sqlite/database.ts";
import { type Config, ConfigError, readConfig } from "./config.ts";
import { spacesFile } from "./consumer/embedded/database.ts";
import { webhooksFile } from "./courier/embedded/database.ts";
import { sharesPorts } from "./http/listen.ts";
import { diskSpace } from "./metrics/process.ts";
import { admin } from "./process/admin.ts";
import { banner } from "./process/banner.ts";
import { readArguments } from "./process/cli.ts";
import { checkDataDir, checkTogether, DataDirError, lockDataDir } from "./process/data-dir.ts";
import { type FallbackListener, fallbackListener } from "./process/fallback-listener.ts";
import { isTerminal, logger, writeNow } from "./process/log.ts";
import { PortError, tryPort } from "./process/port-check.ts";
import type { SqliteFile } from "./sqlite/file.ts";
import { taskTracker } from "./system.ts";
import { madeWebhookKey } from "./webhook-key.ts";

/** Checks all that can be checked, and takes the folder where it is needed; throws what `refuse` prints. */
async function prepare(): Promise<Config> {
  const config = readConfig();
  if (config.taskWorkers > 1 && !sharesPorts())
    throw new ConfigError(["TT_TASK_WORKERS above 1 needs a shared port: run Deno with --unstable-net"]);
  const port = config.role === "consumer" ? 0 : await tryPort("PORT", config.host, config.port);
  const adminPort = config.adminPort === 0 ? 0 : await tryPort("ADMIN_PORT", config.adminHost, config.adminPort);
  const files = embeddedFiles(config);
  if (files.length > 0) {
    checkDataDir(config.dataDir, [...files, ...(hasCourier(config) ? [webhooksFile] : [])]);
    lockDataDir(config.dataDir);
    checkTogether(config.dataDir, files);
  }
  const webhookKey = config.webhookKey ?? (hasCourier(config) ? madeWebhookKey(config.dataDir) : undefined);
  return Object.freeze({ ...config, port, adminPort, ...(webhookKey === undefined ? {} : { webhookKey }) });
}

/** Builds the page where its output is missing or older than its sources. Deno, which has no bundler, serves what is there. */
async function preparePage(): Promise<void> {
  const { buildPage, isOutdated } = await import("../web/build.ts");
  if (!("Bun" in globalThis) || !isOutdated()) return;
  try {
    await buildPage();
  } catch (error) {
    writeNow(2, `Cannot build the page, so / leads to /docs: ${error instanceof Error ? error.message : error}\n`);
  }
}

/** Without servers webhooks need nothing to be configured. */
function hasCourier({ role, kafka }: Config): boolean {
  return role === "all" && kafka === undefined;
}

/** The files of those stores that have no server. */
function embeddedFiles({ role, database, mongo }: Config): SqliteFile[] {
  const needsUsers = (role === "all" || role === "auth") && database === undefined;
  return [...(needsUsers ? [usersFile] : []), ...(role === "all" && mongo === undefined ? [spacesFile] : [])];
}

function refuse(error: unknown): never {
  const known = error instanceof ConfigError || error instanceof PortError || error instanceof DataDirError;
  if (!known) throw error;
  writeNow(2, `${error.message}\n`);
  process.exit(2);
}

/** `isEnding`: whether a signal has asked the process to end. */
export async function start(isEnding: () => boolean): Promise<void> {
  const wanted = readArguments(process.argv.slice(2), manifest.version);
  if ("fault" in wanted) {
    writeNow(2, `${wanted.fault}\n`);
    process.exit(2);
  }
  if ("print" in wanted) {
    writeNow(1, `${wanted.print}\n`);
    process.exit(0);
  }

  const config = await prepare().catch(refuse);
  if (config.page && (config.role === "all" || config.role === "task")) await preparePage();
  const log = logger({
    level: config.logLevel,
    terminal: isTerminal(2),
    write: (line) => writeNow(2, line),
    now: () => new Date(),
  });
  let waiting: FallbackListener | undefined;
  const tracker = taskTracker(config, (level, event, fields) => {
    log(level, event, fields);
    // The supervisor has just told of a death: the port must not be left alone.
    if (fields.supervisor !== undefined) waiting?.look();
  });
  if (config.role === "all" || config.role === "task") waiting = fallbackListener(tracker.system, config);
  const pages = admin(tracker, {
    host: config.adminHost,
    port: config.adminPort,
    role: config.role,
    taskWorkers: config.taskWorkers,
    debugFaults: config.debugFaults,
    disk: embeddedFiles(config).length > 0 ? diskSpace(config.dataDir) : undefined,
  });
  try {
    await tracker.system.start();
  } catch (error) {
    // Asked to stop, it ends with 0 as soon as all that had begun has ended.
    if (isEnding()) return;
    log("error", "start-failed", { error: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  }
  waiting?.look();
  writeNow(
    1,
    banner({
      terminal: isTerminal(1),
      host: config.host,
      port: config.role === "consumer" ? undefined : config.port,
      adminHost: config.adminHost,
      adminPort: pages.port,
      version: manifest.version,
    }),
  );
}
