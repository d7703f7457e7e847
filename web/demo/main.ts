/** `bun run demo [URL]`: fills a space of a running server for a first look. */
import { fill } from "./fill.ts";

const help = `Fills a space of a running server with a project of 60 tasks, 4 people, comments and history, and prints whom to sign in as.

Usage: bun run demo [URL]      http://127.0.0.1:3000 unless told
`;

const given = process.argv.slice(2);
if (given.includes("--help")) {
  process.stdout.write(help);
  process.exit(0);
}
const url = (given[0] ?? "http://127.0.0.1:3000").replace(/\/$/, "");
if (given.length > 1 || !/^https?:/.test(url) || !URL.canParse(url)) {
  process.stderr.write(
    `Cannot fill ${given.join(" ")}: it takes one address, such as http://127.0.0.1:3000 (--help tells more)\n`,
  );
  process.exit(2);
}
const { email, password, spaceId, projectId } = await fill(url).catch((failure: Error) => {
  process.stderr.write(`Cannot fill ${url}: ${failure.message}\n`);
  process.exit(1);
});
process.stdout.write(
  `Sign in at ${url}/#/s/${spaceId}/board/${projectId}\n  e-mail    ${email}\n  password  ${password}\n`,
);
