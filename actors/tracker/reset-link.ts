/** What the commands that make links share: the stores of users as the system has them, and how a link is told. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { operator } from "../auth/operator.ts";
import { usersFile } from "../auth/sqlite/database.ts";
import { openStores } from "../auth/stores.ts";
import { type Config, readConfig } from "../config.ts";
import { DataDirError } from "../process/data-dir.ts";

export type Operator = ReturnType<typeof operator>;

/** Makes a token with the stores of users, which the system may use meanwhile, and answers the lines to print. */
export async function linkFor(make: (of: Operator) => Promise<string>): Promise<string[]> {
  const config = readConfig();
  const { dataDir, database } = config;
  if (database === undefined && !existsSync(join(dataDir, usersFile.name)))
    throw new DataDirError(
      `Cannot find ${usersFile.name} in DATA_DIR ${dataDir}: start the system there once, or give DATABASE_URL`,
    );
  const stores = await openStores(dataDir, database);
  try {
    await stores.server?.prepare();
    const token = await make(operator({ ...stores, now: Date.now }));
    return [
      resetLink(config, token),
      "It sets a password once, within an hour. Whoever has it can: hand it over with care.",
    ];
  } finally {
    await stores.close();
  }
}

/** The page takes the token from the fragment, which browsers send to nobody. */
function resetLink({ site, host, port }: Pick<Config, "site" | "host" | "port">, token: string): string {
  const everywhere = host === "0.0.0.0" || host === "::";
  const name = everywhere ? "localhost" : host.includes(":") ? `[${host}]` : host;
  return `${site.url === "" ? `http://${name}:${port}` : site.url}/#reset=${token}`;
}
