/** What the routes of spaces themselves take and answer. */
import { Type as t } from "@sinclair/typebox";
import { servedModel } from "../../http/resource-models.ts";
import { text } from "../../http/text.ts";
import { invitation } from "../../resources/invitation.ts";
import { member } from "../../resources/member.ts";
import { space } from "../../resources/space.ts";
import { task } from "../../resources/task.ts";
import { pageModel } from "./history-models.ts";

export const Space = servedModel(space);
export const Member = servedModel(member);
const Task = servedModel(task);
const Invitation = servedModel(invitation);
const SpaceEntry = t.Object(
  {
    space: Space,
    member: Member,
    seq: t.Integer({ minimum: 0, description: "The latest of the space: where its feed is" }),
  },
  { $id: "SpaceEntry" },
);
export const Spaces = t.Object({ items: t.Array(SpaceEntry) }, { $id: "SpaceList" });
export const TaskPage = pageModel(Task, "Task");
export const NewInvitation = t.Object(
  {
    ...Invitation.properties,
    token: t.Union([t.String({ description: "The secret, shown once; null in a repeat" }), t.Null()]),
    url: t.Union([t.String({ description: "Has the secret in its fragment" }), t.Null()]),
  },
  { $id: "CreatedInvitation" },
);
const LabelCount = t.Object(
  { label: t.String(), tasks: t.Integer({ minimum: 1, description: "How many have it" }) },
  { $id: "LabelCount" },
);
export const Labels = t.Object({ items: t.Array(LabelCount) }, { $id: "LabelList" });

export const Acceptance = t.Object(
  { token: text({ minLength: 1, maxLength: 200 }) },
  { $id: "Acceptance", additionalProperties: false },
);
