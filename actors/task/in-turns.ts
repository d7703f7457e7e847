/** Work on this thread that must not hold up what else waits for it. */

/** How long is worked before others have their turn. */
const turnMs = 3;

/** Runs the steps, which yield where they may be interrupted. A value at once where one turn is enough. */
export function inTurns<T>(steps: Generator<void, T>, now: () => number = () => performance.now()): T | Promise<T> {
  const first = turn(steps, now);
  if (first.done === true) return first.value;
  return new Promise((resolve, reject) => {
    const next = () => {
      try {
        const step = turn(steps, now);
        if (step.done === true) resolve(step.value);
        else setImmediate(next);
      } catch (error) {
        reject(error);
      }
    };
    setImmediate(next);
  });
}

function turn<T>(steps: Generator<void, T>, now: () => number): IteratorResult<void, T> {
  const begin = now();
  for (;;) {
    const step = steps.next();
    if (step.done === true || now() - begin >= turnMs) return step;
  }
}
