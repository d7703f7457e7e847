/** `tracker import`: the spaces of an export made again, on this system or another one. */
import { type Command, UsageError } from "./command.ts";
import { readFlags } from "./flags.ts";
import { type ImportFile, type Left, readImportFile } from "./moving/import-file.ts";
import { importSpaces } from "./moving/import-spaces.ts";
import { IncompleteError, MovingError } from "./moving/moving-file.ts";
import { serverApi, toldFailure } from "./moving/server-api.ts";
import { signIn } from "./moving/sign-in.ts";

const incomplete = "--incomplete";

export const importCommand: Command = {
  summary: "makes the spaces of an export again, here or on another system",
  help: `Makes the projects, tasks and comments of an export again, through the API of a running system, as the user whose API token it has. They keep their
ids, their order, the instants at which they were made and completed, and whether they are deleted or archived. What the space has already is left
as it is: a second import of a file changes nothing, and one that was interrupted goes on where it was.

Usage: [VARIABLE=value ...] tracker import [--server URL] [--space ID] [--from ID] [--user OLD=NEW]... [${incomplete}] FILE

FILE is of tracker export; - is stdin.
--server URL     where the system serves; without it TT_PUBLIC_URL, or HOST and PORT
--from ID        only this space of the file
--space ID       into this space; me is the personal one. Without it the personal space comes into the personal one, and each other into a new space
--user OLD=NEW   assigns to the user NEW here what the user OLD of the file is assigned to; whoever exported is whoever imports unless told
${incomplete}     takes a file whose end is missing
The API token is taken from TT_API_TOKEN, or the file that TT_API_TOKEN_FILE names, or asked for at a terminal. It needs the scopes tasks:read and
tasks:write, and spaces:admin where spaces are made.

Everything is made by whoever imports, now: earlier versions, their authors and instants stay in the file. Members are not let in: invite them.
What is not taken is named, a line each. Exit code 3: the rest was taken.`,

  async run(args, { print, progress, signal }) {
    const known = {
      "--server": "one",
      "--space": "one",
      "--from": "one",
      "--user": "many",
      [incomplete]: "none",
    } as const;
    const { flags, rest } = readFlags(args, known);
    const [path, ...more] = rest;
    if (path === undefined) throw new UsageError("Cannot import: give the file to read, or -");
    if (more[0] !== undefined) throw new UsageError(`Cannot take the argument ${JSON.stringify(more[0])}`);
    const users = usersIn(flags["--user"] ?? []);
    const { url, token } = await signIn(flags["--server"]?.[0], { isPiped: path === "-" });
    const reporter = progress("documents");
    let count = 0;
    const left = ({ line, type, id, reason }: Left): void => {
      count += 1;
      reporter.clear();
      print(`Not taken: line ${line}, ${[type, id].filter((each) => each !== "").join(" ")}: ${reason}`);
    };
    const file = await readImportFile(path, { left });
    try {
      refuseUnfinished(path, file, { isIncompleteTaken: flags[incomplete] !== undefined });
      const api = serverApi({ url, token, signal, onWait: (why) => reporter.stage(why) });
      const into = { only: flags["--from"]?.[0], spaceId: flags["--space"]?.[0], users };
      const say = (line: string): void => {
        reporter.clear();
        print(line);
      };
      if (file.isWhole && !file.isAsWritten && count === 0)
        say("The file is not as it was written; every line of it can be read");
      await importSpaces({ api, file, into, left, say, onProgress: (done, total) => reporter.update(done, total) });
    } catch (failure) {
      throw toldFailure(failure, url);
    } finally {
      reporter.end();
      file.close();
    }
    if (count > 0) throw new IncompleteError(`Imported all but what is named above (${count})`);
  },
};

function usersIn(given: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    given.map((each): [string, string] => {
      const [, from = "", to = ""] = /^([0-9a-f-]{36})=([0-9a-f-]{36})$/.exec(each) ?? [];
      if (from === "")
        throw new UsageError(`Cannot use --user ${JSON.stringify(each)}: it must be like OLD=NEW, both ids of users`);
      return [from, to];
    }),
  );
}

function refuseUnfinished(
  path: string,
  { isWhole }: ImportFile,
  { isIncompleteTaken }: { isIncompleteTaken: boolean },
): void {
  if (isWhole || isIncompleteTaken) return;
  throw new MovingError(
    `Cannot import ${path}: its last line is missing or damaged, so the export may not be whole; ${incomplete} takes what is there`,
  );
}
