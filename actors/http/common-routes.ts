/** Routes that every role's app has. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import { Problem, type ProblemCode, problems } from "../model/problem.ts";
import type { Route } from "./route.ts";

const code = "version-mismatch";
const Explanation: TSchema = t.Object(
  {
    code: t.String({ description: "The code" }),
    status: t.Integer({ description: "The HTTP status that it comes with" }),
    title: t.String({ description: "The code in a few words" }),
    detail: t.String({ description: "What it means, in a sentence" }),
  },
  {
    $id: "ProblemExplanation",
    examples: [{ code, status: problems[code].status, title: problems[code].title, detail: problems[code].about }],
  },
);

export const commonRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/problems/:code",
    id: "explainProblem",
    summary: "What a problem's code means",
    description: "The `type` of each problem leads here.",
    tag: "Meta",
    auth: "none",
    answers: {
      200: {
        description: "The code, its status and a sentence about it",
        schema: Explanation,
      },
    },
    problems: ["not-found"],
    handle: ({ params }) => {
      const code = params.code as ProblemCode;
      if (!Object.hasOwn(problems, code)) throw new Problem("not-found");
      const { status, title, about } = problems[code];
      return { status: 200, json: JSON.stringify({ code, status, title, detail: about }) };
    },
  },
];
