/** Kafka from Maven's jars: 4.1 that coordinates itself (KRaft), and 3.9 coordinated by ZooKeeper. One broker, data in its folder. */
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CannotBeHad, cached, debianPackages, installDeadlineMs, isCached, run, type Say } from "./install.ts";
import { type Native, type Place, portOf } from "./native.ts";
import { privatePrefix } from "./settings.ts";

const javaAtLeast = 17;
const copyJars = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";

async function javaVersion(): Promise<number> {
  if (Bun.which("java") === null) return 0;
  // Printed to the errors: so the shell.
  const printed = await run("/bin/sh", ["-c", "java -version 2>&1"], { deadlineMs: 30_000 }).catch(() => "");
  return Number(/version "(\d+)/.exec(printed)?.[1] ?? 0);
}

function missingFor(version: string): string[] {
  const java = Bun.which("java") === null ? ["Debian's package default-jre-headless"] : [];
  if (isCached(`kafka-${version}`)) return java;
  const maven = Bun.which("mvn") === null ? ["Debian's package maven"] : [];
  return [...java, ...maven, `Kafka ${version} (43 MB) with Maven`];
}

async function jars(version: string, say: Say): Promise<string> {
  if ((await javaVersion()) < javaAtLeast) {
    await debianPackages(["default-jre-headless"], say);
    const found = await javaVersion();
    if (found < javaAtLeast) throw new CannotBeHad(`it needs Java ${javaAtLeast} or newer, and java here is ${found}`);
  }
  return await cached(`kafka-${version}`, say, async (draft) => {
    if (Bun.which("mvn") === null) await debianPackages(["maven"], say);
    say(`fetching Kafka ${version} with Maven`);
    const pom = join(draft, "pom.xml");
    copyFileSync(join(import.meta.dir, "kafka-pom.xml"), pom);
    const args = [`-Dkafka.version=${version}`, copyJars, `-DoutputDirectory=${draft}`, "-DincludeScope=runtime"];
    await run("mvn", ["-q", "-B", "-f", pom, ...args], { deadlineMs: installDeadlineMs, cwd: draft });
    rmSync(pom);
  });
}

/** A server of the jars. Its classes are shared from the JDK's archive; the serial collector starts faster and suits a small heap. */
const java = (place: Place, heapMb: number, main: string, ...args: string[]) => ({
  program: "java",
  args: [
    ...[`-Xms${heapMb}m`, `-Xmx${heapMb}m`, "-XX:+UseSerialGC", ...(isShortLived(place) ? quickStart : [])],
    ...["-cp", join(place.tools, "*"), main, ...args],
  ],
});

/** Without the optimizing compiler a broker is up after two thirds of the processor time, and slower under a load that lasts. */
const quickStart = ["-XX:TieredStopAtLevel=1"];

/** A test starts one of its own again and again, and nobody measures it. */
const isShortLived = (place: Place): boolean => place.dir.startsWith(privatePrefix);

const file = (place: Place): string => join(place.dir, "server.properties");

function writeProperties(place: Place, properties: Readonly<Record<string, string | number | boolean>>): void {
  const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(file(place), lines.join(""));
}

const ofOneBroker = (place: Place) => ({
  "log.dirs": join(place.dir, "data"),
  "advertised.listeners": `PLAINTEXT://127.0.0.1:${portOf(place)}`,
  "offsets.topic.replication.factor": 1,
  "transaction.state.log.replication.factor": 1,
  "transaction.state.log.min.isr": 1,
  "group.initial.rebalance.delay.ms": 0,
  // The default of 50 partitions is 50 files to open at the first group's start.
  "offsets.topic.num.partitions": 3,
  "transaction.state.log.num.partitions": 3,
});

/** What both have in common. */
const broker = {
  command: (place: Place) => java(place, 512, "kafka.Kafka", file(place)),
  stopSignal: "SIGKILL",
} as const satisfies Partial<Native>;

export const kraft: Native = {
  ...broker,
  portCount: 2,
  missing: () => missingFor("4.1.0"),
  install: (say) => jars("4.1.0", say),
  async prepare(place) {
    const [port, controllerPort] = place.ports;
    writeProperties(place, {
      ...ofOneBroker(place),
      "process.roles": "broker,controller",
      "node.id": 1,
      "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
      "controller.listener.names": "CONTROLLER",
      "share.coordinator.state.topic.replication.factor": 1,
      "share.coordinator.state.topic.min.isr": 1,
      // The controller keeps a killed broker's name for so long (9 s by default), and the same broker cannot come back before.
      "broker.session.timeout.ms": 2_000,
      "broker.heartbeat.interval.ms": 500,
    });
    // A cluster's id is 16 bytes; one that began with a dash would be taken for an option.
    const id = `A${randomBytes(16).toString("base64url").slice(1)}`;
    const format = java(place, 64, "kafka.tools.StorageTool", "format", "-t", id, "-c", file(place));
    await run(format.program, ["-XX:TieredStopAtLevel=1", ...format.args], { deadlineMs: 60_000 });
    return `127.0.0.1:${port}`;
  },
};

export const coordinated: Native = {
  ...broker,
  portCount: 1,
  missing: () => missingFor("3.9.1"),
  install: (say) => jars("3.9.1", say),
  async prepare(place, coordinatorPort) {
    writeProperties(place, {
      ...ofOneBroker(place),
      "broker.id": 1,
      listeners: `PLAINTEXT://127.0.0.1:${portOf(place)}`,
      "zookeeper.connect": `127.0.0.1:${coordinatorPort}`,
      // ZooKeeper keeps a killed broker's name for so long, and the same broker cannot come back before.
      "zookeeper.session.timeout.ms": 2_000,
    });
    return `127.0.0.1:${portOf(place)}`;
  },
};

export const zookeeper: Native = {
  portCount: 1,
  missing: () => missingFor("3.9.1"),
  install: (say) => jars("3.9.1", say),
  async prepare(place) {
    mkdirSync(join(place.dir, "data"));
    writeProperties(place, {
      dataDir: join(place.dir, "data"),
      clientPort: portOf(place),
      clientPortAddress: "127.0.0.1",
      "admin.enableServer": false,
      tickTime: 500,
    });
    return `127.0.0.1:${portOf(place)}`;
  },
  command: (place) => java(place, 128, "org.apache.zookeeper.server.quorum.QuorumPeerMain", file(place)),
  stopSignal: "SIGKILL",
};
