/** Open loops: so many acts a second whether those before them have ended or not, as people come. */

import type { Person } from "../http/tracker.ts";
import type { Sights } from "./sights.ts";

export type Times = { readonly p50Ms: number; readonly p99Ms: number };

const perSecond = 100;

/** What each act tells as its time in milliseconds. One that fails ends the run, once all have ended. */
async function paced(seconds: number, act: (each: number, dueMs: number) => Promise<number>): Promise<Times> {
  const beganMs = performance.now();
  const acts: Promise<number>[] = [];
  for (let each = 0; each < perSecond * seconds; each++) {
    const dueMs = beganMs + (each * 1_000) / perSecond;
    const restMs = dueMs - performance.now();
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    acts.push(act(each, dueMs));
  }
  await Promise.allSettled(acts);
  const sorted = (await Promise.all(acts)).sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** From when a change is due to its answer, and how many of them were no verdict but a 202. */
export async function changes(
  url: string,
  { token, taskIds }: Person,
  seconds: number,
): Promise<Times & { readonly undecided: number }> {
  let undecided = 0;
  const times = await paced(seconds, async (each, dueMs) => {
    const answer = await fetch(`${url}/v1/tasks/${taskIds[each % taskIds.length]}`, {
      method: "PATCH",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ title: `Read what was agreed at ${dueMs}` }),
    });
    await answer.text();
    if (answer.status === 202) undecided += 1;
    else if (answer.status !== 200) throw new Error(`Cannot measure: a change was answered ${answer.status}`);
    return performance.now() - dueMs;
  });
  return { ...times, undecided };
}

/** From when a write is acknowledged, which tells its id, to when it is seen. */
export function lags(write: (each: number) => Promise<string>, { seen }: Sights, seconds: number): Promise<Times> {
  return paced(seconds, async (each) => {
    const id = await write(each);
    const acknowledgedMs = performance.now();
    return (await seen(id)) - acknowledgedMs;
  });
}
