/** `tracker redrive`: parked commands put back into the log. */
import { ConfigError, readConfig } from "../config.ts";
import { redrive } from "../consumer/tools/redrive.ts";
import { type Command, flagsIn } from "./command.ts";

const dryRun = "--dry-run";

export const redriveCommand: Command = {
  summary: "puts parked commands back into the log",
  help: `Puts commands that were set aside (the topic parked) back into the log, where the consumers take them again. The system may run meanwhile.

Usage: [VARIABLE=value ...] tracker redrive [${dryRun}]

KAFKA_BROKERS must be given. ${dryRun} tells what would be done and does nothing.
What still cannot be understood stays parked. After a failure or an interruption, run it again: nothing takes effect twice.`,

  async run(args, { print, progress, signal }) {
    const isDry = flagsIn(args, [dryRun]).has(dryRun);
    const { kafka } = readConfig();
    if (kafka === undefined) throw new ConfigError(["redrive needs KAFKA_BROKERS: commands are parked in Kafka only"]);
    const reporter = progress("parked records");
    const { back, kept } = await redrive({
      servers: kafka,
      dryRun: isDry,
      say: (line) => {
        reporter.clear();
        print(line);
      },
      progress: reporter,
      signal,
    }).finally(() => reporter.end());
    const [put, keep] = isDry ? ["Would put back", "and keep"] : ["Put back", "kept"];
    print(`${put} ${back}, ${keep} ${kept} that cannot be understood`);
  },
};
