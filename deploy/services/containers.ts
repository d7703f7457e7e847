/** Servers that run in containers of a compose project of the set, published on ports of 127.0.0.1. */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CannotBeHad, installDeadlineMs, run, type Say } from "./install.ts";
import { underLock } from "./lock.ts";
import { freePorts } from "./ports.ts";
import type { ProgramName } from "./protocol-probe.ts";
import { untilServes, withTries } from "./ready.ts";
import { type ContainerEntry, type Control, type EntryName, nameOf } from "./state.ts";

const file = join(import.meta.dir, "compose.yml");
const commandDeadlineMs = 60_000;

const projectOf = (dir: string): string => `task-tracker-services-${nameOf(dir)}`;
const docker = (...args: string[]): Promise<string> => run("docker", args, { deadlineMs: commandDeadlineMs });

/** Where each image keeps its data. */
const dataDirs: Record<ProgramName, string> = {
  postgres: "/var/lib/postgresql/data",
  mongo: "/data/db",
  redis: "/data",
  kraft: "/var/lib/kafka/data",
  coordinated: "/var/lib/kafka/data",
  zookeeper: "/data",
};

let asked: Promise<boolean> | undefined;
/** Whether there is an engine that answers, and Compose; asked once. */
export function isEngineHere(): Promise<boolean> {
  asked ??= Promise.all(
    [["info"], ["compose", "version"]].map((args) => run("docker", args, { deadlineMs: 10_000 })),
  ).then(
    () => true,
    () => false,
  );
  return asked;
}

function urlOf(program: ProgramName, port: number, password: string): string {
  if (program === "postgres") return `postgres://tracker:${password}@127.0.0.1:${port}/tracker`;
  if (program === "mongo") return `mongodb://127.0.0.1:${port}/?directConnection=true`;
  return program === "redis" ? `redis://127.0.0.1:${port}/0` : `127.0.0.1:${port}`;
}

/** Makes and starts one container. `keep` is told before there is one. */
export async function startContainer(
  name: EntryName,
  program: ProgramName,
  dir: string,
  say: Say,
  keep: (entry: ContainerEntry) => void,
): Promise<ContainerEntry> {
  if (!(await isEngineHere())) throw new CannotBeHad("no container engine answers to docker info and docker compose");
  const ports = await freePorts(1);
  const [port = 0] = ports;
  const password = randomBytes(16).toString("hex");
  const entry: ContainerEntry = {
    from: "container",
    program,
    container: `${projectOf(dir)}-${program}-1`,
    url: urlOf(program, port, password),
    ports,
    dir: dataDirs[program],
    isSettled: false,
  };
  keep(entry);
  say(`${name}: starting its container; a new image is fetched first`);
  const args = ["compose", "-p", projectOf(dir), "-f", file, "up", "-d", "--no-deps", "--force-recreate", program];
  const env = { SERVICE_PORT: `${port}`, SERVICE_PASSWORD: password, COMPOSE_PROGRESS: "quiet" };
  // One after the other: two that start at once would both make the project's network.
  const nobody = () => {};
  const compose = () => run("docker", args, { deadlineMs: installDeadlineMs, env });
  await underLock(projectOf(dir), installDeadlineMs, nobody, compose);
  await untilReady(entry);
  entry.isSettled = true;
  keep(entry);
  return entry;
}

const untilReady = (entry: ContainerEntry): Promise<void> =>
  untilServes(
    entry,
    () => isRunning(entry),
    () => `docker logs ${entry.container}`,
  );

const isRunning = ({ container }: ContainerEntry): Promise<boolean> =>
  docker("inspect", "-f", "{{.State.Running}}", container).then(
    (printed) => printed.trim() === "true",
    () => false,
  );

export function containerControl(entry: ContainerEntry): Control {
  const { container } = entry;
  const isPaused = async () => (await docker("inspect", "-f", "{{.State.Paused}}", container)).trim() === "true";
  const resume = async () => {
    if ((await isRunning(entry)) && (await isPaused())) await docker("unpause", container);
  };
  return {
    pid: () => Number(spawnSync("docker", ["inspect", "-f", "{{.State.Pid}}", container]).stdout.toString()),
    isAlive: () => isRunning(entry),
    async crash() {
      if (!(await isRunning(entry))) return;
      await resume();
      await docker("kill", container);
    },
    pause: async () => void (await docker("pause", container)),
    resume,
    start: () =>
      withTries(async () => {
        await docker("start", container);
        await untilReady(entry);
      }),
    end: async () => void (await docker("rm", "--force", "--volumes", container)),
  };
}

/** Removes what is left of the set's project: its network. */
export async function removeProject(dir: string): Promise<void> {
  await run("docker", ["compose", "-p", projectOf(dir), "-f", file, "down", "--volumes", "--timeout", "0"], {
    deadlineMs: commandDeadlineMs,
  });
}
