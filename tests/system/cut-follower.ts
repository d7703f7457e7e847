/** A follower of spaces by the typed client, whose connections are cut at any moment and whose next one is to any process. */
import { connect, type Fact } from "../../clients/typescript/src/client.ts";
import type { Person } from "./client.ts";
import { faultProxy } from "./fault-proxy.ts";
import { poll } from "./poll.ts";
import type { Random } from "./random.ts";

export type CutFollower = {
  /** By space, in the order in which they came. */
  readonly facts: ReadonlyMap<string, readonly Fact[]>;
  /** Events that nothing gave rise to: no space is left, and no backup is restored. */
  readonly strange: readonly string[];
  /** How often it has been cut off while it was connected. */
  cuts(): number;
  /** Cuts it off once it is connected, after `beforeMs` at the earliest. */
  cut(beforeMs: number): Promise<void>;
  end(): Promise<void>;
};

/** Any name: each request is sent to one of the processes. */
const anyProcess = "http://any.invalid";
const connectedMs = 120_000;

export async function cutFollower(
  urls: readonly string[],
  who: Person,
  spaces: readonly string[],
  choose: Random,
): Promise<CutFollower> {
  const proxies = await Promise.all(urls.map((url) => faultProxy(Number(new URL(url).port))));
  const owner = connect(urls[0] as string);
  await owner.login({ body: { email: who.email, password: who.password } });
  const { token } = await owner.makeApiToken({ body: { name: "follower" } });
  const send = (input: string | URL | Request, init?: RequestInit) =>
    fetch(String(input).replace(anyProcess, `http://127.0.0.1:${choose.pick(proxies).port}`), init);
  const client = connect(anyProcess, { apiToken: token, fetch: send as typeof fetch });
  const facts = new Map<string, Fact[]>(spaces.map((id) => [id, []]));
  const strange: string[] = [];
  const ends = new AbortController();
  let cuts = 0;

  const following = (async () => {
    const wanted = Object.fromEntries(spaces.map((id) => [id, 0]));
    for await (const event of client.follow({ spaces: wanted, signal: ends.signal }))
      if (event.type === "fact") facts.get(event.spaceId)?.push(event.fact);
      else if (event.type !== "hello") strange.push(`The follower was told ${event.type} of space ${event.spaceId}`);
  })().catch((failure: Error) => void strange.push(`The follower has ended: ${failure.message}`));

  return {
    facts,
    strange,
    cuts: () => cuts,
    async cut(beforeMs) {
      await new Promise((resolve) => setTimeout(resolve, beforeMs));
      await poll("the follower is connected", connectedMs, () => proxies.some((each) => each.connections() > 0));
      cuts += 1;
      await Promise.all(
        proxies.map(async (each) => {
          await each.mode("cut");
          await each.mode("pass");
        }),
      );
    },
    async end() {
      ends.abort();
      await following;
      await Promise.all(proxies.map((each) => each.close()));
    },
  };
}
