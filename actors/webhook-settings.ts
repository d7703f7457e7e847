/** The settings of webhooks. */
import { Type as t } from "@sinclair/typebox";
import { networkEntries } from "./http/ip-address.ts";

export const webhookVariables = {
  TT_WEBHOOK_KEY: t.String({
    pattern: "^$|^[^\\0\\r\\n]{32,1024}$",
    default: "",
    wanted: "32 to 1,024 characters of one line",
    description:
      "From this the secrets of webhooks are made, the same for `task` and `consumer`; in one process without servers it is made at the first start, in `webhook.key` of `DATA_DIR`.",
    secret: true,
  }),
  TT_WEBHOOK_ALLOW: t.String({
    default: "",
    wanted: "like 10.1.0.0/16,127.0.0.1",
    description: "Addresses and networks that webhooks may reach although they are not public, and by `http` too.",
  }),
};

export type WebhookSettings = {
  /** From which the secrets are made; none: no webhook can be made, and nothing is delivered. */
  readonly webhookKey?: string;
  /** Networks that webhooks may reach although they are not public, and without TLS. */
  readonly webhookAllow: readonly string[];
  /** Certificate authorities beside the public ones, in PEM. */
  readonly trustedCa?: string;
};

export function webhookSettings(
  { TT_WEBHOOK_KEY: key, TT_WEBHOOK_ALLOW: allow }: { TT_WEBHOOK_KEY: string; TT_WEBHOOK_ALLOW: string },
  ca: string | undefined,
): WebhookSettings {
  return {
    webhookAllow: Object.freeze(networkEntries(allow)),
    ...(key === "" ? {} : { webhookKey: key }),
    ...(ca === undefined ? {} : { trustedCa: ca }),
  };
}
