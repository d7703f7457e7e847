/** What is known of the process as a whole, in its main thread: nothing here waits, so that `/metrics` answers at once. */
import { readdirSync, readFileSync } from "node:fs";
import { statfs } from "node:fs/promises";
import process from "node:process";
import { type Sample, single } from "./exposition.ts";

export function processText(): string {
  const cpu = process.cpuUsage();
  const uptimeS = process.uptime();
  return [
    single("process_resident_memory_bytes", "gauge", "Memory of the whole process.", [[{}, process.memoryUsage.rss()]]),
    single("process_cpu_seconds_total", "counter", "Processor time of the whole process.", [
      [{}, (cpu.user + cpu.system) / 1e6],
    ]),
    single("process_uptime_seconds", "gauge", "Since the process began.", [[{}, uptimeS]]),
    single("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.", [
      [{}, Math.round(Date.now() / 1_000 - uptimeS)],
    ]),
    ...descriptors(),
  ].join("");
}

/** Only where the system tells (Linux). */
function descriptors(): string[] {
  try {
    const open = readdirSync("/proc/self/fd").length;
    const [, max = "unlimited"] = /^Max open files +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8")) ?? [];
    return [
      single("process_open_fds", "gauge", "Files and connections that the process has open.", [[{}, open]]),
      ...(/^\d+$/.test(max)
        ? [single("process_max_fds", "gauge", "Files and connections that it may have open.", [[{}, Number(max)]])]
        : []),
    ];
  } catch {
    return [];
  }
}

export type DiskSpace = { text(): string };

const lookMs = 10_000;

/** Space where the embedded databases are, looked at now and then: a file system that hangs must not hang what tells of it. */
export function diskSpace(dataDir: string): DiskSpace {
  let known: { free: number; size: number } | undefined;
  let looking = false;
  const look = () => {
    if (looking) return;
    looking = true;
    statfs(dataDir)
      .then(
        ({ bavail, blocks, bsize }) => {
          known = { free: bavail * bsize, size: blocks * bsize };
        },
        () => {
          known = undefined;
        },
      )
      .finally(() => {
        looking = false;
      });
  };
  look();
  const timer = setInterval(look, lookMs);
  timer.unref();
  return {
    text() {
      if (known === undefined) return "";
      const of = (value: number): Sample[] => [[{}, value]];
      return (
        single("data_dir_free_bytes", "gauge", "Space left where the embedded databases are.", of(known.free)) +
        single("data_dir_size_bytes", "gauge", "Size of the file system where they are.", of(known.size))
      );
    },
  };
}
