/** Long lists are shown from their beginning at once, and to their end in the browser's idle time. */
import { useEffect, useState } from "preact/hooks";

const idleTimeoutMs = 200;

/** How many of them to show now. Once all are shown, all that come are. */
export function useGrowing(count: number, { first, step }: { first: number; step: number }): number {
  const [shown, setShown] = useState(first);
  useEffect(() => {
    if (shown >= count) {
      if (shown !== Number.POSITIVE_INFINITY) setShown(Number.POSITIVE_INFINITY);
      return;
    }
    return whenIdle(() => setShown((before) => before + step));
  }, [shown, count]);
  return shown;
}

/** Not every browser tells of its idle time. */
function whenIdle(work: () => void): () => void {
  if (typeof requestIdleCallback === "undefined") {
    const timer = setTimeout(work, 0);
    return () => clearTimeout(timer);
  }
  const asked = requestIdleCallback(work, { timeout: idleTimeoutMs });
  return () => cancelIdleCallback(asked);
}
