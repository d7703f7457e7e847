/** A Python with packages from PyPI: a venv, made once and kept in the user's cache folder. */
import { join } from "node:path";
import { CannotBeHad, cached, installDeadlineMs, run, type Say } from "./install.ts";

/**
 * The interpreter's path. `name` tells venvs apart, so it has the versions or a hash of them; `install` is what pip is given.
 * Throws `CannotBeHad` where no Python can make a venv, or PyPI is out of reach.
 */
export async function pythonWith(name: string, install: readonly string[], say: Say): Promise<string> {
  const python = Bun.which("python3");
  if (python === null) throw new CannotBeHad("there is no python3");
  const folder = await cached(name, say, async (draft) => {
    say(`installing ${name} from PyPI`);
    await run(python, ["-m", "venv", draft], { deadlineMs: installDeadlineMs });
    const pip = ["-m", "pip", "install", "-q", ...install];
    await run(join(draft, "bin", "python"), pip, { deadlineMs: installDeadlineMs });
  });
  return join(folder, "bin", "python");
}
