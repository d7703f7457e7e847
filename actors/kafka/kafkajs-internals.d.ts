/** The one inner part of kafkajs that request-queue.ts mends. */
declare module "kafkajs/src/network/requestQueue/index.js" {
  export default class RequestQueue {
    throttleCheckTimeoutId: ReturnType<typeof setTimeout> | null;
    throttledUntil: number;
    pending: unknown[];
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
  }
}
