import { expect, test } from "bun:test";
import { join } from "node:path";
import { scripts } from "../package.json";

/** npm's own, and the formatter's. */
const others = ["prepare", "format"];

test.each(Object.keys(scripts).filter((name) => !others.includes(name)))(
  "bun run %s --help says what it does, and does nothing else",
  async (name) => {
    const asked = Bun.spawn([process.execPath, "run", "--silent", name, "--help"], {
      cwd: join(import.meta.dir, ".."),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [said, complained, code] = await Promise.all([asked.stdout.text(), asked.stderr.text(), asked.exited]);
    expect({ code, complained, isSaid: said.trim().length > 40 }).toEqual({ code: 0, complained: "", isSaid: true });
  },
);
