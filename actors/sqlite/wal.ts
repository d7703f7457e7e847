/** Reads a SQLite write-ahead log without SQLite, which would already touch the files (https://www.sqlite.org/fileformat2.html#the_write_ahead_log). */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const headerBytes = 32;
const frameHeaderBytes = 24;
/** Where the first page has the version that we write into it (`PRAGMA user_version`). */
const userVersionAt = 60;

/** The schema version of the newest committed first page in the log; undefined when there is none, or no such file. */
export function userVersionInWal(path: string): number | undefined {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return newestUserVersion(file, fstatSync(file).size);
  } finally {
    closeSync(file);
  }
}

function newestUserVersion(file: number, size: number): number | undefined {
  const header = read(file, headerBytes, 0);
  const pageBytes = header?.readUInt32BE(8) ?? 0;
  // A page has 512 to 65,536 bytes; a log that was only begun has none.
  if (header === undefined || pageBytes < 512 || pageBytes > 65_536) return undefined;
  const salts = header.subarray(16, 24);
  let pending: number | undefined;
  let committed: number | undefined;
  for (let at = headerBytes; at + frameHeaderBytes + pageBytes <= size; at += frameHeaderBytes + pageBytes) {
    const frame = read(file, frameHeaderBytes, at);
    // What follows is left from before the log was begun again.
    if (frame === undefined || !frame.subarray(8, 16).equals(salts)) break;
    if (frame.readUInt32BE(0) === 1) pending = read(file, 4, at + frameHeaderBytes + userVersionAt)?.readUInt32BE(0);
    const isCommit = frame.readUInt32BE(4) !== 0;
    if (isCommit) committed = pending;
  }
  return committed;
}

function read(file: number, bytes: number, at: number): Buffer | undefined {
  const buffer = Buffer.alloc(bytes);
  return readSync(file, buffer, 0, bytes, at) === bytes ? buffer : undefined;
}
