/** Requests written byte by byte, for what a proper client refuses to send. */
import { connect } from "node:net";
import type { Reply } from "./client.ts";

/** Sends one request and reads the answer until the server closes; `connection: close` is added, and `host` unless given. */
export function rawRequest(url: string, lines: readonly string[], body: Uint8Array | string = ""): Promise<Reply> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    const socket = connect(Number(port), hostname, () => {
      const host = lines.some((line) => /^host:/i.test(line)) ? [] : [`host: ${hostname}:${port}`];
      socket.write(Buffer.from(`${[...lines, ...host, "connection: close"].join("\r\n")}\r\n\r\n`, "latin1"));
      socket.write(body);
    });
    const finish = (): void => {
      socket.destroy();
      const all = Buffer.concat(parts);
      const split = all.indexOf("\r\n\r\n");
      if (split < 0) return reject(new Error(`The answer has no head: ${all.toString("latin1").slice(0, 200)}`));
      const [first = "", ...rest] = all.subarray(0, split).toString("latin1").split("\r\n");
      const headers = new Headers();
      for (const line of rest)
        headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
      let text = all.subarray(split + 4).toString("utf8");
      if (headers.get("transfer-encoding") === "chunked")
        text = text.replace(/(^|\r\n)[0-9a-f]+\r\n/g, "").replace(/\r\n$/, "");
      const isJson = (headers.get("content-type") ?? "").includes("json") && text !== "";
      resolve({ status: Number(first.split(" ")[1]), headers, text, body: isJson ? JSON.parse(text) : undefined });
    };
    socket
      .on("data", (part: Buffer) => parts.push(part))
      .once("end", finish)
      .once("error", reject);
    socket.setTimeout(60_000, () => socket.destroy(new Error("No answer within 60 s")));
  });
}

/** Begins a request and hangs up in the midst of it; resolves when the connection is gone. */
export function cutRequest(url: string, lines: readonly string[], body: string): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`${[...lines, `host: ${hostname}`].join("\r\n")}\r\n\r\n${body}`, () => socket.resetAndDestroy());
    });
    socket.once("close", () => resolve()).once("error", () => undefined);
  });
}
