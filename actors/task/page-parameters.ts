/** The parameters that all pages of lists share. */
import { Type as t } from "@sinclair/typebox";
import { integerParameter } from "../http/query-parameters.ts";

const limitDefault = 50;

export const limitParameter = {
  schema: integerParameter({ minimum: 1, maximum: 100, default: limitDefault, description: "Items at most" }),
};
export const cursorParameter = { schema: t.String({ description: "`nextCursor` of the page before" }) };

export function pageLimit(query: URLSearchParams): number {
  return Number(query.get("limit") ?? limitDefault);
}
