/** Settings that stand in files, as secrets of containers do. */
import { readFileSync } from "node:fs";

/** A variable's own value, or what the file holds that `<NAME>_FILE` names. */
export function valueOrFile(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
  faults: string[],
): string | undefined {
  const path = env[`${name}_FILE`];
  if (path === undefined || path === "") return env[name];
  if ((env[name] ?? "") !== "") faults.push(`${name} and ${name}_FILE are both given: one of them`);
  return fileText(`${name}_FILE`, path, faults);
}

/** The text of a small file without the line break at its end. */
export function fileText(name: string, path: string, faults: string[]): string | undefined {
  try {
    return readFileSync(path, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    faults.push(`${name} cannot be read: ${(error as { code?: string }).code ?? "it is no text file"}`);
    return undefined;
  }
}
