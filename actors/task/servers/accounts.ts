/** The auth role in another process, asked over HTTP. */
import type { Self } from "../../../runtime/actor.ts";
import type { Standing } from "../../auth/messages.ts";
import { forwardOverHttp } from "../../auth-client/forward-http.ts";
import { followRevocations } from "../../auth-client/revocation-feed-redis.ts";
import { standingOverHttp } from "../../auth-client/standing-http.ts";
import { Unhealthy } from "../../health/report-health.ts";
import { clientReader } from "../../http/client.ts";
import { networksOf } from "../../http/ip-address.ts";
import type { Server } from "../../servers.ts";
import { type Accounts, type Learn, unknownKeys } from "../accounts.ts";

/** Several rounds of asking. */
const unreachableAfterMs = 4_000;

export type RemoteAuth = {
  authUrl: string;
  issuer: string;
  audience: string;
  redis?: Server;
  trustedProxies?: readonly string[];
};

/** What has ended comes at once through Redis where there is one, and with the next of auth's answers anyway. */
export function accountsOverHttp(self: Pick<Self, "log">, { learn, revoke }: Learn, options: RemoteAuth): Accounts {
  const { authUrl, issuer, audience, redis, trustedProxies = [] } = options;
  const clientOf = clientReader(networksOf(trustedProxies));
  let learnedMs: number | undefined;
  const take = (standing: Standing) => {
    learnedMs = Date.now();
    learn(standing);
  };
  const standing = standingOverHttp({ authUrl, take, log: self.log, claims: { issuer, audience } });
  const feed = redis === undefined ? undefined : followRevocations(redis, revoke);
  return {
    forward: (request, remoteAddress) =>
      forwardOverHttp(authUrl, request, { client: clientOf(request.headers, remoteAddress) }),
    apiToken: ({ token }) => standing.verifyApiToken(token),
    session: (of) => standing.verifySession(of),
    known: standing.first,
    catchUp: standing.again,
    ready: async () => undefined,
    probe() {
      if (learnedMs === undefined) throw unknownKeys();
      if (Date.now() - learnedMs > unreachableAfterMs) throw new Unhealthy("not reached");
    },
    close() {
      feed?.close();
      standing.close();
    },
  };
}
