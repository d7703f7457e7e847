/** `bun run services up|down|status`: the services for tests and benchmarks, from a shell. */
import process from "node:process";
import { parseArgs } from "node:util";
import { down, FolderError, type ServiceName, serviceNames, status, up, variableOf } from "./services.ts";
import { isCi } from "./settings.ts";

const help = `PostgreSQL, MongoDB, Redis and Kafka for tests and benchmarks, on free ports of 127.0.0.1.

  bun run services up       starts what does not run and prints lines for the shell:
                            eval "$(bun run --silent services up)"
  bun run services down     ends what up started, and removes its data
  bun run services status   what runs

  --only postgres,redis     with up: these only, of ${serviceNames.join(", ")}
  --zookeeper               with up: Kafka 3.9 with ZooKeeper in place of Kafka 4.1 (KRaft)
  --strict                  with up: a service that cannot be had is exit code 1 (so it is when CI=true)
  --dir DIR                 another set, in this folder

A service given by ${Object.values(variableOf).join(", ")} is used as it is.
SERVICES_FROM=containers starts them with docker compose.
`;

const options = {
  only: { type: "string" },
  zookeeper: { type: "boolean", default: false },
  strict: { type: "boolean", default: false },
  dir: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

function refuse(why: string): never {
  say(`Cannot run services: ${why} (--help tells more)`);
  process.exit(2);
}

function parsed() {
  try {
    return parseArgs({ options, allowPositionals: true });
  } catch (error) {
    return refuse(error instanceof Error ? (error.message.split("\n")[0] ?? "") : "unknown argument");
  }
}

function namesIn(list: string): ServiceName[] {
  return list
    .split(",")
    .map(
      (name) =>
        serviceNames.find((each) => each === name) ?? refuse(`--only takes ${serviceNames.join(", ")}, not "${name}"`),
    );
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const { values, positionals } = parsed();
const [verb, ...rest] = positionals;
const dir = values.dir === undefined ? {} : { dir: values.dir };

if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
if (rest.length > 0) refuse(`unknown argument "${rest[0]}"`);
if (verb !== "up" && (values.only !== undefined || values.zookeeper || values.strict))
  refuse("--only, --zookeeper and --strict go with up");
try {
  if (verb === "up") {
    const only = values.only === undefined ? serviceNames : namesIn(values.only);
    const { urls, missing } = await up({ ...dir, only, say, ...(values.zookeeper ? { zookeeper: true } : {}) });
    for (const name of serviceNames) {
      const url = urls[variableOf[name]];
      if (url !== undefined) process.stdout.write(`export ${variableOf[name]}=${quoted(url)}\n`);
    }
    for (const { service, reason } of missing) say(`${service}: cannot be had: ${reason}`);
    process.exitCode = missing.length > 0 && (isCi || values.strict) ? 1 : 0;
  } else if (verb === "down") {
    await down(dir);
  } else if (verb === "status") {
    for (const { name, port, pid, serves } of status(dir))
      process.stdout.write(
        `${name}: ${(await serves()) ? "serves" : "does not answer"}, port ${port}, process ${pid}\n`,
      );
  } else refuse(verb === undefined ? "say up, down or status" : `unknown argument "${verb}"`);
} catch (error) {
  if (!(error instanceof FolderError)) throw error;
  say(error.message);
  process.exitCode = 2;
}
