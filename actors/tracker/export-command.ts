/** `tracker export`: spaces with all their history as a file. */
import { counted } from "../model/counted.ts";
import { type Command, UsageError } from "./command.ts";
import { readFlags } from "./flags.ts";
import { exportSpaces } from "./moving/export-spaces.ts";
import { outputTo } from "./moving/output.ts";
import { serverApi, toldFailure } from "./moving/server-api.ts";
import { signIn } from "./moving/sign-in.ts";

export const exportCommand: Command = {
  summary: "writes spaces with all their history to a file",
  help: `Writes spaces to a file, a JSON object a line: projects, tasks and comments, deleted ones too, each with its whole history, and who the members
are. It reads them through the API of a running system, in one process or on servers, as the user whose API token it has. Nothing is changed.

Usage: [VARIABLE=value ...] tracker export [--server URL] [--space ID]... FILE

FILE must not exist; it is for its owner only, and there only when it is whole. - is stdout.
--server URL   where the system serves; without it TT_PUBLIC_URL, or HOST and PORT
--space ID     only this space (again for more); me is the personal one. Without it: all spaces of the user.
The API token is taken from TT_API_TOKEN, or the file that TT_API_TOKEN_FILE names, or asked for at a terminal. It needs the scope tasks:read.

Each space is as it was at one moment, though others write meanwhile. Passwords, tokens, invitations and webhooks are not in the file.`,

  async run(args, { print, progress, signal }) {
    const { flags, rest } = readFlags(args, { "--server": "one", "--space": "many" });
    const [path, ...more] = rest;
    if (path === undefined) throw new UsageError("Cannot export: give the file to write to, or -");
    if (more[0] !== undefined) throw new UsageError(`Cannot take the argument ${JSON.stringify(more[0])}`);
    const { url, token } = await signIn(flags["--server"]?.[0], { isPiped: false });
    const waiting = progress("documents");
    const api = serverApi({ url, token, signal, onWait: (why) => waiting.stage(why) });
    const output = await outputTo(path);
    try {
      const { write, wanted } = { write: output.line, wanted: flags["--space"] };
      const counts = await exportSpaces({ api, wanted, write, progress, now: () => new Date() });
      await output.finish({ documents: counts.documents, changes: counts.changes });
      waiting.clear();
      const [documents, changes, spaces] = [
        counted(counts.documents, "document"),
        counted(counts.changes, "change"),
        counted(counts.spaces, "space"),
      ];
      if (path !== "-") print(`Exported ${documents} with ${changes}, of ${spaces}, to ${path}`);
    } catch (failure) {
      await output.abandon();
      throw toldFailure(failure, url);
    }
  },
};
