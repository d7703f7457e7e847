/** Redis as a cache: nothing on disk. */
import { debianPackages } from "./install.ts";
import { type Native, portOf } from "./native.ts";

export const redis: Native = {
  portCount: 1,
  missing: () => (Bun.which("redis-server") === null ? ["Debian's package redis-server"] : []),
  async install(say) {
    if (Bun.which("redis-server") === null) await debianPackages(["redis-server"], say);
    return "redis-server";
  },
  prepare: async (place) => `redis://127.0.0.1:${portOf(place)}/0`,
  command: (place) => ({
    program: place.tools,
    args: [
      ...["--port", `${portOf(place)}`, "--bind", "127.0.0.1", "--dir", place.dir],
      ...["--save", "", "--appendonly", "no", "--daemonize", "no"],
    ],
  }),
  stopSignal: "SIGKILL",
};
