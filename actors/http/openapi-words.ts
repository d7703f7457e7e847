/** What the published document says besides its routes: the introduction, the groups of routes and the parameters of paths. */
import { problems } from "../model/problem.ts";
import type { Schema } from "./openapi-schemas.ts";
import { uuidPattern } from "./validate.ts";

export const introduction = `Spaces with their projects, tasks, comments and members, as JSON over HTTP.

**Sign in.** \`POST /v1/auth/register\` or \`/v1/auth/login\` answers an access token of 10 minutes and a refresh token. Send \`Authorization: Bearer <access token>\`; programs use an API token (\`tt_…\`) in its place.

**Addresses.** Everything of a space is below \`/v1/spaces/{spaceId}\`. \`me\` stands for the caller's personal space; \`/v1/tasks\`, \`/v1/projects\`, \`/v1/comments\`, \`/v1/batch\` and \`/v1/operations\` are short for the same below \`/v1/spaces/me\`.

**Paging.** Lists answer \`{ items, nextCursor }\`; send \`nextCursor\` back as \`cursor\`, with the same filters and sort, until it is null.

**Retries.** With an \`Idempotency-Key\` a change takes effect once, however often it is sent, and is answered with its first answer. \`429\` and \`503\` say in \`Retry-After\` when to try again. \`202\` means that the change is recorded and its outcome is at \`Location\`.

**Conditions.** Each resource has a \`version\`, quoted in \`ETag\`. \`If-Match\` changes only that version (else \`412\`); \`If-None-Match\` reads only another one (else \`304\`).

**Consistency.** A user's reads see that user's own acknowledged writes. To let another reader see a write, hand on the \`Consistency-Token\` of its answer.

**Errors.** Failures are RFC 9457 problem details with a \`code\` from a closed list; \`422\` lists every fault. What one may not see is \`404\`.

Instants are RFC 3339 in UTC with milliseconds, ids are lower-case UUIDs, texts are well-formed Unicode without NUL and their lengths count code points. An unknown field or parameter is refused. Every answer has \`X-Request-Id\`.`;

/** In the order in which they are shown. Routes name one of them. */
export const tags: Readonly<Record<string, string>> = {
  Auth: "Accounts, sessions and API tokens",
  Spaces: "A space is a wall: its members see all of it, others see nothing",
  Members: "Who sees a space, and what each may do there",
  Invitations: "Secrets that make those who have them members",
  Projects: "Projects and the columns that their tasks go through",
  Tasks: "What is to be done",
  Comments: "What is said about tasks",
  Operations: "Many changes as one, what became of a change, and taking one back",
  Feed: "What happened in spaces, in its order: facts, a snapshot and a live stream",
  Webhooks: "Facts sent to a URL as they happen",
  Meta: "The server itself and this document",
};

const uuidText = uuidPattern.source.slice(1, -1);

/** By name; one that is not here is an opaque text. */
export const pathParameters: Readonly<Record<string, { description: string; schema: Schema; example: unknown }>> = {
  id: {
    description: "The id of the resource",
    schema: { type: "string", format: "uuid", pattern: uuidPattern.source },
    example: "0197a3c2-6d1e-7b3a-9c41-2f0e8d5a7b10",
  },
  spaceId: {
    description: "The id of the space; `me`: the caller's personal space",
    schema: { type: "string", pattern: `^(?:me|${uuidText})$` },
    example: "me",
  },
  seq: {
    description: "The fact's number in its space",
    schema: { type: "integer", minimum: 1 },
    example: 1,
  },
  code: {
    description: "The code of a problem",
    schema: { type: "string", enum: Object.keys(problems) },
    example: "version-mismatch",
  },
};
