/**
 * MongoDB as a replica set of one (transactions and retried writes need one): mongod where there is one, else SecantusDB from PyPI, which
 * speaks MongoDB's wire protocol and says that it is the primary of a set.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { CannotBeHad, cached, debianPackages, installDeadlineMs, isCached, run, type Say } from "./install.ts";
import { type Native, type Place, portOf } from "./native.ts";

const requirement = "secantusdb==0.7.0b3";
const venvName = requirement.replace("==", "-");
const setName = "rs0";
const initiateDeadlineMs = 60_000;

async function makeVenv(folder: string, say: Say): Promise<void> {
  if (Bun.which("python3") === null) await debianPackages(["python3", "python3-venv"], say);
  const venv = () => run("python3", ["-m", "venv", folder], { deadlineMs: installDeadlineMs });
  // Debian's python3 comes without the module that makes a venv whole.
  await venv().catch(async () => {
    await debianPackages(["python3-venv"], say);
    await venv();
  });
  say(`installing ${requirement} from PyPI`);
  await run(join(folder, "bin", "python"), ["-m", "pip", "install", "-q", requirement], {
    deadlineMs: installDeadlineMs,
  });
}

const isMongod = (place: Place): boolean => !place.tools.endsWith("secantusd-py");

export const mongo: Native = {
  portCount: 1,
  missing() {
    const isHere = Bun.which("mongod") !== null || isCached(venvName);
    return isHere ? [] : [`${requirement} from PyPI, which stands in for MongoDB`];
  },
  async install(say) {
    const mongod = Bun.which("mongod");
    if (mongod !== null) return mongod;
    const folder = await cached(venvName, say, (draft) => makeVenv(draft, say));
    return join(folder, "bin", "secantusd-py");
  },
  async prepare(place) {
    mkdirSync(join(place.dir, "data"));
    return `mongodb://127.0.0.1:${portOf(place)}/?directConnection=true`;
  },
  command(place) {
    const data = join(place.dir, "data");
    const listen = ["--port", `${portOf(place)}`];
    if (isMongod(place))
      return {
        program: place.tools,
        args: [
          ...["--bind_ip", "127.0.0.1", ...listen, "--dbpath", data, "--replSet", setName, "--nounixsocket"],
          ...["--setParameter", "enableTestCommands=1"],
        ],
      };
    return {
      // By the venv's own Python: the script's first line names the folder that the venv was made in.
      program: join(place.tools, "..", "python"),
      args: [
        ...[place.tools, "--host", "127.0.0.1", ...listen, "--storage-path", data],
        ...["--sync-on-commit", "--enable-test-commands", "--log-level", "WARNING"],
      ],
    };
  },
  async whileNotReady(place) {
    if (isMongod(place)) await initiate(place);
  },
  stopSignal: "SIGKILL",
};

/** A new mongod answers, but is no primary before it is told that it is a set. Told twice it refuses, and nothing changes. */
async function initiate(place: Place): Promise<void> {
  const { MongoClient, MongoServerError, MongoServerSelectionError } = await import("mongodb");
  const client = new MongoClient(`mongodb://127.0.0.1:${portOf(place)}/?directConnection=true`, {
    serverSelectionTimeoutMS: 500,
    timeoutMS: initiateDeadlineMs,
  });
  const members = [{ _id: 0, host: `127.0.0.1:${portOf(place)}` }];
  try {
    await client.db("admin").command({ replSetInitiate: { _id: setName, members } });
  } catch (error) {
    const isInitiated = error instanceof MongoServerError && error.code === 23;
    if (!isInitiated && !(error instanceof MongoServerSelectionError))
      throw new CannotBeHad(`mongod refuses to be a set: ${error instanceof Error ? error.message : "unknown"}`);
  } finally {
    await client.close();
  }
}
