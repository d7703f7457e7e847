/** A receiver of webhooks, over real HTTP on a port of its own. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

export type Received = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string };
/** `hang`: no answer; `reset`: the connection is cut. */
export type Answering = (received: Received) => { status: number; headers?: Record<string, string> } | "hang" | "reset";

export type Receiver = {
  readonly url: string;
  readonly received: Received[];
  connections(): number;
  /** In the place of 204 for all. */
  answer(how: Answering): void;
  close(): Promise<void>;
};

export async function receiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  let answering: Answering = () => ({ status: 204 });
  let connections = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => {
      body += part;
    });
    request.on("end", () => {
      const one = { headers: request.headers, body, path: request.url ?? "" };
      received.push(one);
      const answer = answering(one);
      if (answer === "hang") return;
      if (answer === "reset") return void request.socket.destroy();
      response.writeHead(answer.status, answer.headers ?? {}).end();
    });
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    connections: () => connections,
    answer(how) {
      answering = how;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
