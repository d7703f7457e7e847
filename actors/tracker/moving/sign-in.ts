/** Which server export and import talk to, and by which API token: it comes from a variable, a file or the terminal, never from the arguments. */
import process from "node:process";
import { type Config, readConfig } from "../../config.ts";
import { isTerminal, writeNow } from "../../process/log.ts";
import { UsageError } from "../command.ts";
import { InterruptedError } from "../interrupt.ts";

export type SignIn = { readonly url: string; readonly token: string };

const tokenPattern = /^[\x21-\x7e]{1,4096}$/;

/** `server`: as the arguments have it. `isPiped`: stdin has something else to give. */
export async function signIn(server: string | undefined, { isPiped }: { isPiped: boolean }): Promise<SignIn> {
  const config = readConfig();
  const url = server === undefined ? ownUrl(config) : checkedUrl(server);
  const token = config.apiToken ?? (isPiped || process.stdin.isTTY !== true ? undefined : await askedToken());
  if (token === undefined)
    throw new UsageError("Cannot sign in: give an API token in TT_API_TOKEN, or a file with one in TT_API_TOKEN_FILE");
  if (!tokenPattern.test(token)) throw new UsageError("Cannot sign in: that is no API token");
  return { url, token };
}

function checkedUrl(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const isPlain = url !== undefined && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "";
  // What stands before @ may be a password: it is not repeated.
  if (!isPlain || url.username !== "" || url.password !== "")
    throw new UsageError("Cannot use this --server: it must be like https://example.org or http://127.0.0.1:3000");
  return url.href.replace(/\/$/, "");
}

/** Where the system with these variables serves. */
function ownUrl({ site, host, port }: Config): string {
  if (site.url !== "") return site.url;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host.includes(":") ? `[${host}]` : host;
  return `http://${name}:${port}`;
}

/** Typed at the terminal, and not shown there. */
async function askedToken(): Promise<string | undefined> {
  if (!isTerminal(2)) return undefined;
  const { stdin } = process;
  // First of all: what is typed or pasted before it would be shown.
  stdin.setRawMode(true);
  writeNow(2, "API token (it is not shown): ");
  stdin.resume();
  let typed = "";
  try {
    for await (const chunk of stdin) {
      for (const character of String(chunk)) {
        if (character === "\x03") throw new InterruptedError("SIGINT");
        if (character === "\r" || character === "\n" || character === "\x04") return typed.trim();
        typed = character === "\x7f" || character === "\b" ? typed.slice(0, -1) : typed + character;
      }
    }
    return typed.trim();
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    writeNow(2, "\n");
  }
}
