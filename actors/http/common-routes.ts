/** Routes that every role's app has. */
import { Type as t } from "@sinclair/typebox";
import { Problem, type ProblemCode, problems } from "../model/problem.ts";
import type { Route } from "./route.ts";

export const commonRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/problems/:code",
    id: "explainProblem",
    summary: "What a problem's code means",
    tag: "Meta",
    auth: "none",
    answers: {
      200: {
        description: "The code, its status and a sentence about it",
        schema: t.Object({ code: t.String(), status: t.Integer(), title: t.String(), detail: t.String() }),
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
