/** What is told of a failure: RFC 9457 problem details, and the same of an operation that was refused. */
import { type TSchema, Type as t } from "@sinclair/typebox";
import { faultsMax, problems } from "../model/problem.ts";

const codes = t.Union(
  Object.keys(problems).map((code) => t.Literal(code)),
  { description: "From a closed list; `GET /problems/{code}` explains it" },
);

const FieldFault: TSchema = t.Object(
  {
    path: t.String({ description: "A JSON pointer into the body, or `/<name>` of a query parameter" }),
    message: t.String({ description: "What is wrong there" }),
  },
  { $id: "FieldFault" },
);

const told = {
  type: t.String({ format: "uri-reference", description: "`/problems/<code>`, which explains it" }),
  title: t.String({ description: "The code in a few words" }),
  status: t.Integer({ minimum: 400, maximum: 599, description: "The HTTP status" }),
  detail: t.String({ description: "What happened, in a sentence" }),
  code: codes,
};
const more = {
  errors: t.Optional(
    t.Array(FieldFault, { maxItems: faultsMax, description: "Of `validation` and `invalid-reference`: every fault" }),
  ),
  change: t.Optional(
    t.Integer({ minimum: 0, description: "Of a batch: the place of the first change that was refused, from 0 on" }),
  ),
  resources: t.Optional(
    t.Array(t.String({ format: "uuid" }), { description: "The resources that stand in the way of an undo" }),
  ),
};

export const ProblemModel: TSchema = t.Object(
  {
    ...told,
    instance: t.String({ description: "The path of the request" }),
    requestId: t.String({ description: "Finds the request in the log: `X-Request-Id`" }),
    ...more,
  },
  { $id: "Problem", description: "RFC 9457 problem details" },
);

export const Refusal: TSchema = t.Object(
  { ...told, ...more },
  { $id: "Refusal", description: "Why an operation was refused, as the answer to it would have said" },
);
