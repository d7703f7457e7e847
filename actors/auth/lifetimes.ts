/** How long sessions live and what has ended is remembered, in milliseconds. */
import { accessTokenMs } from "./messages.ts";

/** A session ends by itself when it was not refreshed for this long. */
export const sessionIdleMs = 30 * 86_400_000;
/** A spent refresh token's successor may have been lost on the way: this long it may be asked for again. */
export const refreshGraceMs = 10_000;
/** How long the link that sets a new password is good. */
export const resetMs = 3_600_000;
/** How long an ended session must be remembered: its last access token's life, and a minute for clocks that differ. */
export const revocationMs = accessTokenMs + 60_000;
/** How long a deleted API token must be remembered: longer than anybody remembers what it granted. */
export const deletedTokenMs = 60_000;
