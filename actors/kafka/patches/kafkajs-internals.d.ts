/** The inner parts of kafkajs that request-queue.ts and dead-connections.ts mend. */
declare module "kafkajs/src/network/requestQueue/index.js" {
  export default class RequestQueue {
    throttleCheckTimeoutId: ReturnType<typeof setTimeout> | null;
    throttledUntil: number;
    pending: unknown[];
    checkPendingRequests(): void;
    scheduleCheckPendingRequests(): void;
    destroy(): void;
  }
}

declare module "kafkajs/src/network/connection.js" {
  import type { Socket } from "node:net";
  import type RequestQueue from "kafkajs/src/network/requestQueue/index.js";
  export default class Connection {
    connectionStatus: "connected" | "disconnecting" | "disconnected";
    authenticatedAt: unknown;
    socket: Socket | undefined;
    requestQueue: RequestQueue;
    send(request: object): Promise<unknown>;
    disconnect(): Promise<boolean>;
    rejectRequests(error: Error): void;
  }
}
