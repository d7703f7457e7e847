/** PostgreSQL in a cluster of its own, with passwords and with fsync on. It refuses to run as root, so root gives it to another user. */
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CannotBeHad, debianPackages, run } from "./install.ts";
import { type Native, type Place, portOf } from "./native.ts";
import { isRoot } from "./settings.ts";

const user = "tracker";
const database = "tracker";
const debianFolder = "/usr/lib/postgresql";
const commandDeadlineMs = 60_000;

/** The folder of initdb and postgres: on the PATH, or the newest of Debian's. */
function programFolder(): string | undefined {
  const onPath = Bun.which("initdb");
  if (onPath !== null) return dirname(realpathSync(onPath));
  if (!existsSync(debianFolder)) return undefined;
  return readdirSync(debianFolder)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(debianFolder, version, "bin"))
    .find((folder) => existsSync(join(folder, "initdb")));
}

/** Words to put before a command so that it does not run as root. */
async function unprivileged(): Promise<string[]> {
  if (!isRoot) return [];
  if (Bun.which("setpriv") === null)
    throw new CannotBeHad("it does not run as root, and there is no setpriv to change the user");
  const owner = await run("id", ["-u", "postgres"], { deadlineMs: 5_000 }).then(
    () => "postgres",
    () => "nobody",
  );
  const group = (await run("id", ["-gn", owner], { deadlineMs: 5_000 })).trim();
  return ["setpriv", `--reuid=${owner}`, `--regid=${group}`, "--clear-groups", "--"];
}

/** The folders above must let its user through. */
async function reach(dir: string, as: readonly string[]): Promise<void> {
  const [program = "test", ...args] = [...as, "test", "-x", dir];
  await run(program, args, { deadlineMs: commandDeadlineMs, cwd: "/" }).catch(() => {
    throw new CannotBeHad(`it does not run as root, and its user cannot reach ${dir}: choose another --dir`);
  });
}

const dataDir = (place: Place): string => join(place.dir, "data");

export const postgres: Native = {
  portCount: 1,
  missing: () => (programFolder() === undefined ? ["Debian's package postgresql"] : []),
  async install(say) {
    if (programFolder() === undefined) await debianPackages(["postgresql"], say);
    const folder = programFolder();
    if (folder === undefined) throw new CannotBeHad("initdb is not on the PATH, even with the package installed");
    return [folder, ...(await unprivileged())].join("\n");
  },
  async prepare(place) {
    const password = randomBytes(16).toString("hex");
    const passwordFile = join(place.dir, "password");
    writeFileSync(passwordFile, password, { mode: 0o600 });
    const [folder = "", ...as] = place.tools.split("\n");
    const owner = as.find((word) => word.startsWith("--reuid="))?.slice("--reuid=".length);
    if (owner !== undefined) await run("chown", ["-R", `${owner}:`, place.dir], { deadlineMs: commandDeadlineMs });
    chmodSync(place.dir, 0o700);
    await reach(place.dir, as);
    const [program = "", ...args] = [
      ...as,
      join(folder, "initdb"),
      ...["-D", dataDir(place), "-U", user, "--auth=scram-sha-256", `--pwfile=${passwordFile}`],
      ...["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"],
    ];
    await run(program, args, { deadlineMs: commandDeadlineMs, cwd: place.dir });
    return `postgres://${user}:${password}@127.0.0.1:${portOf(place)}/${database}`;
  },
  command(place) {
    const [folder = "", ...as] = place.tools.split("\n");
    const [program = "", ...args] = [
      ...as,
      join(folder, "postgres"),
      ...["-D", dataDir(place), "-h", "127.0.0.1", "-p", `${portOf(place)}`],
      ...["-c", "unix_socket_directories=", "-c", "max_connections=200"],
    ];
    return { program, args };
  },
  // It names the killed server's process, and where nobody asks for the dead that one still counts as there.
  clear: (place) => rmSync(join(dataDir(place), "postmaster.pid"), { force: true }),
  async settle(place, url) {
    const [folder = ""] = place.tools.split("\n");
    await run(join(folder, "createdb"), ["-h", "127.0.0.1", "-p", `${portOf(place)}`, "-U", user, database], {
      deadlineMs: commandDeadlineMs,
      env: { PGPASSWORD: new URL(url).password },
    });
  },
  // Immediate shutdown. SIGKILL would leave its shared memory segment in the system.
  stopSignal: "SIGQUIT",
};
