/** Queries and forms (`application/x-www-form-urlencoded`), strictly: the platform's own parser lets ill-formed escapes through. */
import type { Fault } from "../model/problem.ts";

/** Escapes that are none or that stand for no UTF-8, and NUL, are faults; what has a fault is left out of the fields. */
export function parseUrlencoded(text: string): { fields: URLSearchParams; faults: Fault[] } {
  if (!text.includes("%") && !text.includes("\0")) return { fields: fieldsOf(text), faults: [] };
  const fields = new URLSearchParams();
  const faults: Fault[] = [];
  for (const part of text.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    const raw = equals < 0 ? part : part.slice(0, equals);
    const name = decode(raw);
    const value = decode(equals < 0 ? "" : part.slice(equals + 1));
    if (name === undefined || value === undefined)
      faults.push({ path: pointer(name ?? raw), message: "must be well-formed percent-encoded UTF-8 without NUL" });
    else fields.append(name, value);
  }
  return { fields, faults };
}

/** `URLSearchParams` takes one question mark at the beginning as a separator, which it is not here. */
function fieldsOf(text: string): URLSearchParams {
  return new URLSearchParams(text.startsWith("?") ? `?${text}` : text);
}

/** A JSON pointer (RFC 6901) to one name. */
export function pointer(name: string): string {
  return `/${name.replaceAll("~", "~0").replaceAll("/", "~1").toWellFormed()}`;
}

function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll("+", " "));
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}
