/** The file of an export, read once from its beginning to its end, and what an import needs of it in a temporary database. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import process from "node:process";
import { uuidPattern } from "../../http/validate.ts";
import { resourceTypes } from "../../resources/registry.ts";
import type { ResourceType } from "../../resources/resource-type.ts";
import { type Line, linesOf, objectOf } from "./lines.ts";
import { exportedTypes, format, importedTypes, lineBytesMax, MovingError, type Resource } from "./moving-file.ts";
import { temporaryDatabase } from "./temporary-database.ts";

export type FileSpace = { readonly spaceId: string; name: string };

/** What is not taken, and why. */
export type Left = { readonly line: number; readonly type: string; readonly id: string; readonly reason: string };

export type FileDocument = {
  readonly line: number;
  readonly type: ResourceType;
  readonly isDeleted: boolean;
  readonly resource: Resource;
};

export type ImportFile = Awaited<ReturnType<typeof readImportFile>>;

type Row = { readonly line: number; readonly type: number; readonly deleted: number; readonly text: string };

/** `left`: told of each line that is damaged or not known. Throws a `MovingError` where it is no export, or not the whole of one. */
export async function readImportFile(path: string, { left }: { left: (each: Left) => void }) {
  const db = temporaryDatabase(`
    CREATE TABLE documents (
      line INTEGER PRIMARY KEY, space INTEGER NOT NULL, id TEXT NOT NULL, type INTEGER NOT NULL, deleted INTEGER NOT NULL, text TEXT NOT NULL
    );
    CREATE UNIQUE INDEX documents_by_id ON documents (space, id);`);
  const add = db.prepare(
    "INSERT OR IGNORE INTO documents (line, space, id, type, deleted, text) VALUES (?, ?, ?, ?, ?, ?)",
  );
  const spaces: FileSpace[] = [];
  const people = { members: 0, by: "" };
  const whole = createHash("sha256");
  let end: { isAsWritten: boolean } | undefined;

  function take(line: Line, object: Readonly<Record<string, unknown>>): void {
    switch (object.line) {
      case "space":
        spaceNamed(object.spaceId, object.name);
        return;
      case "document":
        takeDocument(line, object);
        return;
      case "end":
        end = { isAsWritten: object.sha256 === whole.copy().digest("hex") };
        return;
      case "change":
      case "user":
        return;
      default:
        left({ line: line.number, type: "line", id: "", reason: "it is of an unknown kind" });
    }
  }

  /** Its place among the spaces of the file. Each document names its space: nothing comes into a wrong one where a line is damaged. */
  function spaceNamed(spaceId: unknown, name?: unknown): number {
    if (typeof spaceId !== "string") return -1;
    const known = spaces.findIndex((each) => each.spaceId === spaceId);
    const place = known < 0 ? spaces.push({ spaceId, name: "" }) - 1 : known;
    const space = spaces[place];
    if (space !== undefined && typeof name === "string") space.name = name;
    return place;
  }

  function takeDocument({ number }: Line, { type: name, deleted, resource }: Readonly<Record<string, unknown>>): void {
    const type = resourceTypes.find((each) => each.name === name);
    const { id, spaceId, name: title } = (resource ?? {}) as { id?: unknown; spaceId?: unknown; name?: unknown };
    const space = spaceNamed(spaceId, name === "space" ? title : undefined);
    const isSound =
      typeof id === "string" && uuidPattern.test(id) && type !== undefined && exportedTypes.includes(type);
    if (!isSound || space < 0) {
      const reason = type === undefined ? "its type is not known" : "it is damaged";
      return left({ line: number, type: String(name), id: typeof id === "string" ? id : "", reason });
    }
    if (!importedTypes.includes(type)) {
      if (name === "member") people.members += 1;
      return;
    }
    const place = importedTypes.indexOf(type);
    const { changes } = add.run(number, space, id, place, deleted === true ? 1 : 0, JSON.stringify(resource));
    if (Number(changes) === 0) left({ line: number, type: type.name, id, reason: "an earlier line has this id" });
  }

  for await (const line of linesOf(chunksOf(path), lineBytesMax)) {
    const object = objectOf(line);
    if (line.number === 1) people.by = exporterOf(path, object);
    else if (object === undefined) left({ line: line.number, type: "line", id: "", reason: "it is damaged" });
    else take(line, object);
    // Behind the last line nothing is of the export.
    if (end !== undefined) break;
    whole.update(line.bytes ?? new Uint8Array()).update("\n");
  }
  if (people.by === "") throw new MovingError(`Cannot import ${path}: it is empty`);

  const documentOf = ({ line, type, deleted, text }: Row): FileDocument => ({
    line,
    type: importedTypes[type] as ResourceType,
    isDeleted: deleted === 1,
    resource: JSON.parse(text) as Resource,
  });
  const byId = db.prepare("SELECT line, type, deleted, text FROM documents WHERE space = ? AND id = ?");
  const ofType = db.prepare(
    "SELECT line, type, deleted, text FROM documents WHERE space = ? AND type = ? ORDER BY line",
  );
  const counted = db.prepare("SELECT count(*) AS count FROM documents WHERE space = ?");
  return {
    /** The user whose token wrote it. */
    by: people.by,
    spaces: spaces as readonly FileSpace[],
    /** Lines about people who are members; they are for readers. */
    members: people.members,
    /** Its last line is there. */
    isWhole: end !== undefined,
    /** Not a byte is another than when it was written. */
    isAsWritten: end?.isAsWritten === true,
    count: (space: number): number => (counted.get(space) as { count: number }).count,
    document(space: number, id: string): FileDocument | undefined {
      const row = byId.get(space, id) as Row | undefined;
      return row === undefined ? undefined : documentOf(row);
    },
    *documents(space: number, type: ResourceType): Generator<FileDocument> {
      for (const row of ofType.iterate(space, importedTypes.indexOf(type))) yield documentOf(row as Row);
    },
    close: (): void => db.close(),
  };
}

function exporterOf(path: string, object: Readonly<Record<string, unknown>> | undefined): string {
  if (object?.line !== "export" || typeof object.by !== "string")
    throw new MovingError(`Cannot import ${path}: it is no export, its first line says nothing of one`);
  if (object.format !== format)
    throw new MovingError(
      `Cannot import ${path}: it has the format ${String(object.format)}, and this program knows ${format}`,
    );
  return object.by;
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* path === "-" ? process.stdin : createReadStream(path, { highWaterMark: 256 * 1024 });
  } catch (error) {
    throw new MovingError(`Cannot read ${path}: ${(error as { code?: string }).code ?? "the system refuses it"}`);
  }
}
