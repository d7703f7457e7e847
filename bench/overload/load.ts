/** Requests at a fixed rate, whether or not the ones before have been answered: how a crowd comes. In a process of its own, so that it does not slow down who measures. */
import { Agent, get } from "node:http";
import process from "node:process";

export type Result = {
  /** Times to the end of the answers that were 2xx, in milliseconds. */
  readonly servedMs: number[];
  /** 503 `overloaded`. */
  refused: number;
  /** Answers of any other status, and connections that were cut. */
  readonly faults: Record<string, number>;
};

/** More than this under way at once are not sent: they are counted as skipped by the caller's arithmetic. */
const underWayMax = 1_500;
const timeoutMs = 30_000;

/** Sends `perSecond` requests for `seconds` and waits for the last answer. */
export async function offer(
  url: string,
  token: string,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<Result> {
  const result: Result = { servedMs: [], refused: 0, faults: {} };
  const agent = new Agent({ keepAlive: true, maxSockets: underWayMax });
  const options = { agent, headers: { authorization: `Bearer ${token}` }, timeout: timeoutMs };
  const beganMs = performance.now();
  const underWay = new Set<Promise<void>>();
  const total = Math.max(1, Math.round(perSecond * seconds));
  for (let sent = 0; sent < total; ) {
    const due = Math.min(total, Math.ceil(((performance.now() - beganMs) / 1_000) * perSecond));
    for (; sent < due; sent++) {
      if (underWay.size >= underWayMax) continue;
      const one = ask(url, options, result).then(() => void underWay.delete(one));
      underWay.add(one);
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.all(underWay);
  agent.destroy();
  return result;
}

function ask(url: string, options: Parameters<typeof get>[1], result: Result): Promise<void> {
  const beganMs = performance.now();
  return new Promise((resolve) => {
    const fault = (name: string) => {
      result.faults[name] = (result.faults[name] ?? 0) + 1;
      resolve();
    };
    const request = get(url, options, (answer) => {
      answer.resume();
      answer.on("error", (error) => fault(error.message));
      answer.on("end", () => {
        const { statusCode = 0 } = answer;
        if (statusCode === 503) result.refused++;
        else if (statusCode >= 200 && statusCode < 300) result.servedMs.push(performance.now() - beganMs);
        else return fault(String(statusCode));
        resolve();
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer in time")));
    request.on("error", (error) => fault(error.message));
  });
}

if (import.meta.main) {
  const [url = "", token = "", perSecond = "1", seconds = "1"] = process.argv.slice(2);
  const result = await offer(url, token, { perSecond: Number(perSecond), seconds: Number(seconds) });
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
