/** Hands auth's paths to the `auth` actor: a message each way, the same app behind it. */
import type { Ref } from "../../runtime/actor.ts";
import { isActorError } from "../../runtime/errors.ts";
import type { auth, HttpAnswer } from "../auth/messages.ts";
import { bodyBytesMax, readBytes } from "../http/body.ts";
import { methodOf } from "../http/target.ts";
import { Problem } from "../model/problem.ts";

const forwardMs = 10_000;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Throws `users-unavailable` or `overloaded` when auth does not answer in time, and `malformed-json` for a body that was cut off. */
export async function forward(
  to: Ref<typeof auth.accepts>,
  request: Request,
  remoteAddress?: string | undefined,
): Promise<Response> {
  const headers = Object.fromEntries(request.headers);
  const bytes = await readBytes(request);
  // A body that is too large is refused by auth's own edge, in its turn, which only needs to be told the length.
  if (bytes === undefined) headers["content-length"] = String(bodyBytesMax + 1);
  let answer: HttpAnswer;
  try {
    answer = await to.ask(
      "http",
      {
        method: methodOf(request),
        url: request.url,
        headers,
        ...bodyOf(bytes),
        ...(remoteAddress === undefined ? {} : { remoteAddress }),
      },
      { timeoutMs: forwardMs },
    );
  } catch (cause) {
    throw new Problem(isActorError(cause, "Busy") ? "overloaded" : "users-unavailable", undefined, { cause });
  }
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

function bodyOf(bytes: ArrayBuffer | Uint8Array | undefined): { body: string | null; base64?: boolean } {
  if (bytes === undefined || bytes.byteLength === 0) return { body: null };
  try {
    return { body: utf8.decode(bytes) };
  } catch {
    return { body: Buffer.from(new Uint8Array(bytes)).toString("base64"), base64: true };
  }
}
