/** The secrets with which webhooks sign: derived when they are needed, and kept nowhere. */
import { createHmac } from "node:crypto";

const prefix = "whsec_";

/** As receivers have it (Standard Webhooks). `key`: the installation's. */
export function webhookSecret(key: string, webhookId: string, generation: number): string {
  return prefix + secretBytes(key, webhookId, generation).toString("base64");
}

/** `v1,<base64>` over id, timestamp and body. */
export function webhookSignature(
  secret: Buffer,
  { id, timestampS, body }: { id: string; timestampS: number; body: string },
): string {
  return `v1,${createHmac("sha256", secret).update(`${id}.${timestampS}.${body}`).digest("base64")}`;
}

export function secretBytes(key: string, webhookId: string, generation: number): Buffer {
  return createHmac("sha256", key).update(`webhook ${webhookId} ${generation}`).digest();
}
