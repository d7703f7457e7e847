/** Why something failed, in the words of whoever it failed in, for a log line. */

const charsMax = 300;
const causesMax = 4;

type Failure = {
  name?: unknown;
  code?: unknown;
  type?: unknown;
  message?: unknown;
  cause?: unknown;
  errors?: unknown;
};

/**
 * Kind, code and message of an error and of what caused it, on one line: `KafkaJSConnectionError: connect ECONNREFUSED 127.0.0.1:9092`. Servers are named,
 * credentials and the values of keys are not.
 */
export function causeOf(error: unknown): string {
  const parts: string[] = [];
  for (let each = error, count = 0; each !== undefined && each !== null && count < causesMax; count++) {
    const told = oneOf(each);
    // Drivers wrap an error in another with the same message.
    if (told !== "" && !parts.some((part) => part.includes(told) || part.endsWith(messageOf(each) || told)))
      parts.push(told);
    const { cause, errors } = each as Failure;
    each = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  const text = parts.join("; because of ").replaceAll(/\s+/g, " ").trim();
  return withoutCredentials(text === "" ? "it did not say why" : text).slice(0, charsMax);
}

function oneOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return String(error);
  const { name, code, type } = error as Failure;
  const message = messageOf(error);
  const kinds = [name, type, code].filter(
    (each, place, all): each is string | number =>
      (typeof each === "string" || typeof each === "number") &&
      each !== "" &&
      each !== "Error" &&
      all.indexOf(each) === place &&
      !message.includes(String(each)),
  );
  return [kinds.join(" "), message].filter((part) => part !== "").join(": ");
}

function messageOf(error: unknown): string {
  const { message } = error as Failure;
  // What MongoDB says of a key that is taken has the key's values in it.
  return typeof message === "string" ? message.replace(/ dup key: \{.*$/s, "") : "";
}

/** The same text with what stands before `@` in its URLs taken out. */
export function withoutCredentials(text: string): string {
  return text.includes("://") ? text.replaceAll(/([a-z][a-z0-9+.-]*:\/\/)[^\s"'<>]*@/gi, "$1") : text;
}
