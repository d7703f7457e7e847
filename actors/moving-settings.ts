/** The setting of `tracker export` and `tracker import`. */
import { Type as t } from "@sinclair/typebox";

export const movingVariables = {
  TT_API_TOKEN: t.String({
    pattern: "^$|^[\\x21-\\x7e]{1,4096}$",
    default: "",
    wanted: "1 to 4,096 visible ASCII characters",
    description: "API token by which `tracker export` and `tracker import` sign in.",
    secret: true,
  }),
};

export type MovingSettings = {
  /** None: it is asked for. */
  readonly apiToken?: string;
};

export function movingSettings({ TT_API_TOKEN: apiToken }: { TT_API_TOKEN: string }): MovingSettings {
  return apiToken === "" ? {} : { apiToken };
}
