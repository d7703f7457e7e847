/** What the server says of single fields, as the page can say it in any language. */
import type { Key } from "./language.ts";

/** The server's sentences; a number in one is `{n}`. */
const sentences: readonly (readonly [sentence: RegExp, key: Key])[] = [
  [/^is required$/, "faultRequired"],
  [/^must have at least (\d+) character/, "faultShort"],
  [/^must have at most (\d+) character/, "faultLong"],
  [/^must have at most (\d+) item/, "faultMany"],
  [/^must not be only white space$/, "faultBlank"],
  [/^must not repeat an item$/, "faultRepeated"],
  [/^must be an e-mail address$/, "faultEmail"],
  [/^must not be one of the most common passwords$/, "faultCommon"],
  [/^must be in the future$/, "faultFuture"],
];

export function faultKey(message: string): { readonly key: Key; readonly n: number } {
  for (const [sentence, key] of sentences) {
    const [whole, n] = sentence.exec(message) ?? [];
    if (whole !== undefined) return { key, n: Number(n ?? 0) };
  }
  return { key: "faultOther", n: 0 };
}

/** Fields as forms call them. */
const names: Readonly<Record<string, Key>> = {
  email: "email",
  password: "password",
  currentPassword: "currentPassword",
  newPassword: "newPassword",
  name: "name",
  title: "title",
  description: "description",
  body: "comments",
  labels: "labels",
  due: "due",
  dueAt: "due",
  date: "due",
  time: "dueTime",
  expiresAt: "tokenUntil",
  scopes: "tokenScopes",
  note: "inviteNote",
  maxUses: "inviteUses",
  columns: "columns",
  estimateMinutes: "estimate",
  assigneeIds: "assignees",
  priority: "priority",
  status: "status",
  columnId: "column",
  projectId: "project",
  parentId: "parent",
};

/** Of the field that a JSON pointer leads to, in a batch too. Undefined: it has none that people know. */
export function fieldKey(path: string): Key | undefined {
  const known = path.split("/").filter((part) => Object.hasOwn(names, part));
  return names[known.at(-1) ?? ""];
}
