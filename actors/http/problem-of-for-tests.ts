/** What a call fails with, for the tests of the edge. */
import { Problem, type ProblemCode } from "../model/problem.ts";

/** The code of the problem that is thrown (or rejected with), undefined when there is none; anything else thrown goes on. */
export async function problemOf(run: () => unknown): Promise<ProblemCode | undefined> {
  try {
    await run();
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Problem) return thrown.code;
    throw thrown;
  }
}
