/** Failures: what the server refused is a `ProblemError`, and no answer at all is a `ConnectionError`. */
import type { Problem } from "./types.ts";

/** RFC 9457 problem details as an error. `code` is from the closed list of the API. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: Problem["code"];
  readonly status: number;
  /** Every fault of a `validation` or an `invalid-reference`. */
  readonly errors: NonNullable<Problem["errors"]>;
  readonly requestId: string | undefined;
  readonly problem: Readonly<Partial<Problem>>;
  /** When it is worth trying again, where the server said so. */
  readonly retryAfterS: number | undefined;

  constructor(problem: Partial<Problem>, status: number, retryAfterS?: number) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.code = problem.code ?? "internal";
    this.status = status;
    this.errors = problem.errors ?? [];
    this.requestId = problem.requestId;
    this.problem = problem;
    this.retryAfterS = retryAfterS;
  }
}

/** The server could not be reached, or the answer was cut off. */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
}

/** Of an answer that is none of the successful ones. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const retryAfter = response.headers.get("retry-after");
  const text = await response.text().catch(() => "");
  const isProblem = response.headers.get("content-type")?.startsWith("application/problem+json") === true;
  const problem = isProblem ? (JSON.parse(text) as Problem) : {};
  return new ProblemError(problem, response.status, retryAfter === null ? undefined : Number(retryAfter));
}
