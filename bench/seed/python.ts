/** The Python that the FastAPI version runs on, with exactly what requirements.txt says. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Say } from "../../deploy/services/install.ts";
import { pythonWith } from "../../deploy/services/python.ts";

const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));

/** The interpreter's path; throws as `pythonWith` does. */
export function pythonWithRequirements(say: Say): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  return pythonWith(`fastapi-${hash}`, ["--no-deps", "-r", requirements], say);
}
