/** `bun run demo [URL]`: fills a space of a running server for a first look. */
import { fill } from "./fill.ts";

const url = (process.argv[2] ?? "http://127.0.0.1:3000").replace(/\/$/, "");
const { email, password, spaceId, projectId } = await fill(url);
process.stdout.write(
  `Sign in at ${url}/#/s/${spaceId}/board/${projectId}\n  e-mail    ${email}\n  password  ${password}\n`,
);
