/** A writer of spaces in a process of its own, to be killed: `bun space-writer-process.ts '{"kafka":…,"mongoUrl":…}'`. Ends by itself with its parent. */
import { kafkaSpaceWriter } from "../../actors/consumer/servers/writer.ts";
import type { KafkaServers } from "../../actors/servers.ts";

const { kafka, mongoUrl } = JSON.parse(process.argv[2] ?? "") as { kafka: KafkaServers; mongoUrl: string };
const stopping = new AbortController();
const end = (code: number) => process.exit(code);
process.stdin.on("end", () => end(0)).resume();
kafkaSpaceWriter(
  {
    name: "consumer",
    log: (level: string, event: string, fields?: object) =>
      void process.stdout.write(`${JSON.stringify({ level, event, ...fields })}\n`),
    fail: (error: unknown) => {
      process.stderr.write(`${error}\n`);
      end(1);
    },
    publish: () => undefined,
    stopping: stopping.signal,
  } as never,
  { kafka, mongo: { url: mongoUrl } },
);
