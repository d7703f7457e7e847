/** The Python that the FastAPI version runs on: a venv with exactly what requirements.txt says, made once and kept in the user's cache folder. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CannotBeHad, cached, installDeadlineMs, run, type Say } from "../../deploy/services/install.ts";

const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));

/** The interpreter's path. Throws `CannotBeHad` where there is no Python that can make a venv, or PyPI is out of reach. */
export async function pythonWithRequirements(say: Say): Promise<string> {
  const python = Bun.which("python3");
  if (python === null) throw new CannotBeHad("there is no python3");
  const hash = new Bun.CryptoHasher("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = await cached(`fastapi-${hash}`, say, async (draft) => {
    say("installing FastAPI and what it needs from PyPI");
    await run(python, ["-m", "venv", draft], { deadlineMs: installDeadlineMs });
    const install = ["-m", "pip", "install", "-q", "--no-deps", "-r", requirements];
    await run(join(draft, "bin", "python"), install, { deadlineMs: installDeadlineMs });
  });
  return join(folder, "bin", "python");
}
