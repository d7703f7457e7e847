/** Why the server refused, for people. */
import type { ProblemBody } from "../sync/session.ts";
import { faultKey, fieldKey } from "./faults.ts";
import { hasText, language, t } from "./language.ts";

/** The server's own sentence, which is English and names the case; in other languages what its code means. */
export function refusalText({ code, detail }: ProblemBody): string {
  const key = `refused ${code}`;
  return language.value === "en" || !hasText(key) ? detail : t(key);
}

/** A sentence for each field at fault. */
export function faultTexts({ errors = [] }: ProblemBody): string[] {
  return errors.map(({ path, message }) => {
    const field = fieldKey(path);
    const { key, n } = faultKey(message);
    const sentence = language.value === "en" ? message : t(key, { n });
    return field === undefined ? sentence : `${t(field)}: ${sentence}`;
  });
}
