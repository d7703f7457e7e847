/**
 * Ends kafkajs 2.2.4's timer loop: its request queue sets a timer of 1 ms again and again on every connection, with a negative delay at that,
 * though nothing waits in it (tulios/kafkajs issue 1751). Only a queue in which something waits needs to be looked at later.
 */
import RequestQueue from "kafkajs/src/network/requestQueue/index.js";

const checkMs = 10;

RequestQueue.prototype.scheduleCheckPendingRequests = function scheduleCheckPendingRequests(): void {
  if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
  const throttledMs = this.throttledUntil - Date.now();
  this.throttleCheckTimeoutId = setTimeout(
    () => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    },
    throttledMs > 0 ? throttledMs : checkMs,
  );
};
