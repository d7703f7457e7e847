/** Waits for a condition with a deadline, so that no test sleeps for a fixed time. */

/** Asks again every `everyMs` until the condition holds; an error naming it after `deadlineMs`. */
export async function poll(
  what: string,
  deadlineMs: number,
  condition: () => boolean | Promise<boolean>,
  everyMs = 25,
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`Waited ${deadlineMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
