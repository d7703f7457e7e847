/** Why the server refused, for people. */
import type { ProblemBody } from "../sync/session.ts";
import { faultKey, fieldKey } from "./faults.ts";
import { hasText, language, t } from "./language.ts";

/** The server's own sentence, which is English and names the case; in other languages what its code means. */
export function refusalText({ code, detail, status }: ProblemBody): string {
  const key = `refused ${code}`;
  // A proxy's, of which nothing is known but a number.
  if (code === "unknown") return t("refusedByOther", { status: String(status) });
  if (language.value === "en") return detail;
  if (hasText(key)) return t(key);
  return status >= 500 ? t("refused overloaded") : t("refusedOther", { code });
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
