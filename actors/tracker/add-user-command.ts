/** `tracker add-user`: an account and a link with which its owner sets the password. */
import { type Command, UsageError } from "./command.ts";
import { linkFor } from "./reset-link.ts";

export const addUserCommand: Command = {
  summary: "adds an account and prints a link that sets its password",
  help: `Adds an account, whether or not registration is open, and prints a link with which its owner sets the password, once, within an hour.
The system may run meanwhile.

Usage: [VARIABLE=value ...] tracker add-user EMAIL [NAME]

It adds the account where the system keeps them: in DATA_DIR, or by DATABASE_URL. \`tracker reset-password EMAIL\` prints another link.
The link begins with TT_PUBLIC_URL; without it, with HOST and PORT.`,

  async run(args, { print }) {
    const [email, name, ...more] = args;
    if (email === undefined) throw new UsageError("Cannot add an account: give its e-mail");
    if (more.length > 0) throw new UsageError(`Cannot take the argument ${JSON.stringify(more[0])}: quote the name`);
    for (const line of await linkFor((of) => of.addUser(name === undefined ? { email } : { email, name }))) print(line);
  },
};
