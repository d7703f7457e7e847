/** The 10,000 most common passwords of at least 8 characters, from the list of zxcvbn-ts (MIT, Dan Wheeler and Dropbox), lower case, one a line. */
import { readFileSync } from "node:fs";

const common = new Set(
  readFileSync(new URL("./common-passwords.txt", import.meta.url), "utf8")
    .trimEnd()
    .split("\n"),
);

export function isCommonPassword(password: string): boolean {
  return common.has(password.normalize("NFC").toLowerCase());
}
