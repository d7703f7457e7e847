/** `tracker reset-password`: a link with which somebody sets a new password. */
import { type Command, UsageError } from "./command.ts";
import { linkFor } from "./reset-link.ts";

export const resetPasswordCommand: Command = {
  summary: "prints a link that sets a new password",
  help: `Prints a link with which the owner of an account sets a new password, once, within an hour. All sessions end then. The system may run meanwhile.

Usage: [VARIABLE=value ...] tracker reset-password EMAIL

It finds the account as the system does: in DATA_DIR, or by DATABASE_URL. An earlier link of that account is no longer good.
The link begins with TT_PUBLIC_URL; without it, with HOST and PORT.`,

  async run(args, { print }) {
    const [email, ...more] = args;
    if (email === undefined) throw new UsageError("Cannot reset a password: give the e-mail of the account");
    if (more.length > 0) throw new UsageError(`Cannot take the argument ${JSON.stringify(more[0])}`);
    for (const line of await linkFor((of) => of.resetPassword(email))) print(line);
  },
};
