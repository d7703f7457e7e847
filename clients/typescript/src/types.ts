/** Made by generate.ts from the OpenAPI document: not to be changed by hand. */

export type FieldFault = {
  /** A JSON pointer into the body, or `/<name>` of a query parameter */
  path: string;
  /** What is wrong there */
  message: string;
};

/** RFC 9457 problem details */
export type Problem = {
  /** `/problems/<code>`, which explains it */
  type: string;
  /** The code in a few words */
  title: string;
  /** The HTTP status */
  status: number;
  /** What happened, in a sentence */
  detail: string;
  /** From a closed list; `GET /problems/{code}` explains it */
  code: "malformed-json" | "malformed-header" | "unauthenticated" | "invalid-credentials" | "token-reused" | "forbidden" | "registration-closed" | "not-found" | "method-not-allowed" | "email-taken" | "conflict" | "last-owner" | "limit-reached" | "resync" | "version-mismatch" | "body-too-large" | "unsupported-media-type" | "validation" | "invalid-reference" | "precondition-required" | "idempotency-mismatch" | "invalid-cursor" | "rate-limited" | "internal" | "log-unavailable" | "read-model-unavailable" | "users-unavailable" | "not-yet-visible" | "overloaded";
  /** The path of the request */
  instance: string;
  /** Finds the request in the log: `X-Request-Id` */
  requestId: string;
  /** Of `validation` and `invalid-reference`: every fault */
  errors?: FieldFault[];
  /** Of a batch: the place of the first change that was refused, from 0 on */
  change?: number;
  /** The resources that stand in the way of an undo */
  resources?: string[];
};

export type User = {
  id: string;
  /** As it was given */
  email: string;
  /** Null where none was given */
  name: string | null;
  createdAt: string;
};

export type Tokens = {
  /** For the `Authorization` header */
  accessToken: string;
  tokenType: "Bearer";
  /** Seconds until the access token expires */
  expiresIn: number;
  /** Good once, for fresh tokens; left out where it comes as a cookie */
  refreshToken?: string;
  user: User;
};

export type Registration = {
  email: string;
  password: string;
  name?: string;
};

export type Credentials = {
  email: string;
  password: string;
};

export type RefreshRequest = {
  refreshToken?: string;
};

export type Reset = {
  resetToken: string;
  newPassword: string;
};

export type MeChange = {
  /** `null` sets the default: `null` */
  name?: string | null;
  email?: string;
  currentPassword?: string;
};

export type Erasure = {
  currentPassword: string;
};

export type PasswordChange = {
  currentPassword: string;
  newPassword: string;
};

export type Session = {
  id: string;
  createdAt: string;
  lastUsedAt: string;
  /** The `User-Agent` of the sign-in */
  userAgent: string | null;
  /** It is the one that asks */
  current: boolean;
};

export type SessionList = {
  items: Session[];
};

export type CreatedApiToken = {
  id: string;
  /** What its owner calls it */
  name: string;
  /** What it may do */
  scopes: ("tasks:read" | "tasks:write" | "spaces:admin")[];
  createdAt: string;
  expiresAt: string | null;
  /** The secret, shown once */
  token: string;
};

export type NewApiToken = {
  name: string;
  expiresAt?: string;
  /** What it may do */
  scopes?: ("tasks:read" | "tasks:write" | "spaces:admin")[];
};

export type ApiToken = {
  id: string;
  /** What its owner calls it */
  name: string;
  /** What it may do */
  scopes: ("tasks:read" | "tasks:write" | "spaces:admin")[];
  createdAt: string;
  expiresAt: string | null;
};

export type ApiTokenList = {
  items: ApiToken[];
};

export type UserName = {
  id: string;
  name: string | null;
};

export type UserNameList = {
  items: UserName[];
};

export type Verification = {
  /** The token is good now */
  active: boolean;
  /** Whose it is */
  sub?: string;
  /** The session of an access token */
  sid?: string;
  /** When it ends, in epoch seconds */
  exp?: number;
  scopes?: ("tasks:read" | "tasks:write" | "spaces:admin")[];
};

export type VerifyRequest = {
  token: string;
};

export type Jwks = {
  /** JSON Web Keys (RFC 7517) */
  keys: (Record<string, string>)[];
};

export type Revocation = {
  /** SHA-256 of the session's id (`sid`), or of the API token's whole text */
  hash: string;
  /** Epoch milliseconds; of no interest afterwards */
  untilMs: number;
};

export type Revocations = {
  /** `iss` of the access tokens */
  issuer: string;
  /** `aud` of the access tokens */
  audience: string;
  revoked: Revocation[];
};

export type ProblemExplanation = {
  /** The code */
  code: string;
  /** The HTTP status that it comes with */
  status: number;
  /** The code in a few words */
  title: string;
  /** What it means, in a sentence */
  detail: string;
};

export type Space = {
  id: string;
  spaceId: string;
  /** Not only white space */
  name: string;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
};

export type FieldChange = {
  /** Null at the creation */
  from: unknown;
  to: unknown;
};

/** By the name of the field, as it is stored: those that differ */
export type FieldChanges = Record<string, FieldChange>;

export type HistoryEntry = {
  /** Of the resource, with this change */
  version: number;
  /** The operation's place in what happened in the space */
  seq: number;
  kind: "created" | "changed" | "deleted" | "restored" | "undone";
  at: string;
  /** The user who did it */
  actorId: string;
  operationId: string;
  changes: FieldChanges;
};

export type HistoryPage = {
  items: HistoryEntry[];
  /** For the page that follows */
  nextCursor: string | null;
};

export type Member = {
  id: string;
  spaceId: string;
  userId: string;
  role: "viewer" | "member" | "admin" | "owner";
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
};

export type Invitation = {
  id: string;
  spaceId: string;
  role: "viewer" | "member" | "admin";
  /** RFC 3339, answered as UTC with milliseconds */
  expiresAt: string;
  maxUses: number;
  uses: number;
  note: string;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
};

export type Column = {
  /** Unique within the project */
  id: string;
  /** Not only white space */
  name: string;
  /** What a task gets that is moved here */
  status: "todo" | "in_progress" | "done" | "cancelled";
};

export type Project = {
  id: string;
  spaceId: string;
  /** Not only white space */
  name: string;
  description: string;
  /** #rrggbb, kept in lower case */
  color: string | null;
  /** In their order. A column's id is made where it is missing, and its status never changes */
  columns: Column[];
  archived: boolean;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
};

/** A whole day; with `time` a local time wherever it is read; with `timeZone` too, one instant */
export type Due = {
  /** A day of the calendar */
  date: string;
  /** HH:MM[:SS[.mmm]], kept in its shortest form */
  time?: string;
  /** A name of the IANA time zone database; only with `time` */
  timeZone?: string;
};

export type Task = {
  id: string;
  spaceId: string;
  /** Not only white space */
  title: string;
  description: string;
  status: "todo" | "in_progress" | "done" | "cancelled";
  priority: "none" | "low" | "medium" | "high" | "urgent";
  labels: string[];
  due: Due | null;
  /** RFC 3339, answered as UTC with milliseconds */
  dueAt: string | null;
  /** The id of a project of the space */
  projectId: string | null;
  columnId: string | null;
  /** The id of a task of the space */
  parentId: string | null;
  assigneeIds: string[];
  estimateMinutes: number | null;
  rank: string | null;
  /** RFC 3339, answered as UTC with milliseconds */
  completedAt: string | null;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
};

export type Comment = {
  id: string;
  spaceId: string;
  /** The id of a task of the space */
  taskId: string;
  /** Not only white space */
  body: string;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
};

export type Webhook = {
  id: string;
  spaceId: string;
  /** http or https */
  url: string;
  types: string[];
  active: boolean;
  generation: number;
  /** RFC 3339, answered as UTC with milliseconds */
  rotatedAt: string | null;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
};

/** Why an operation was refused, as the answer to it would have said */
export type Refusal = {
  /** `/problems/<code>`, which explains it */
  type: string;
  /** The code in a few words */
  title: string;
  /** The HTTP status */
  status: number;
  /** What happened, in a sentence */
  detail: string;
  /** From a closed list; `GET /problems/{code}` explains it */
  code: "malformed-json" | "malformed-header" | "unauthenticated" | "invalid-credentials" | "token-reused" | "forbidden" | "registration-closed" | "not-found" | "method-not-allowed" | "email-taken" | "conflict" | "last-owner" | "limit-reached" | "resync" | "version-mismatch" | "body-too-large" | "unsupported-media-type" | "validation" | "invalid-reference" | "precondition-required" | "idempotency-mismatch" | "invalid-cursor" | "rate-limited" | "internal" | "log-unavailable" | "read-model-unavailable" | "users-unavailable" | "not-yet-visible" | "overloaded";
  /** Of `validation` and `invalid-reference`: every fault */
  errors?: FieldFault[];
  /** Of a batch: the place of the first change that was refused, from 0 on */
  change?: number;
  /** The resources that stand in the way of an undo */
  resources?: string[];
};

export type Operation = {
  id: string;
  status: "pending" | "applied" | "rejected";
  /** Of an applied one: its place in what happened in the space */
  seq?: number;
  /** Of each change the resource as it is at the end, null where it is deleted */
  items?: (Space | Member | Invitation | Project | Task | Comment | Webhook | null)[];
  problem?: Refusal;
};

export type SpacePatch = {
  /** Not only white space */
  name?: string;
};

export type MemberPage = {
  items: Member[];
  /** For the page that follows */
  nextCursor: string | null;
};

export type MemberPatch = {
  role?: "viewer" | "member" | "admin" | "owner";
};

export type InvitationPage = {
  items: Invitation[];
  /** For the page that follows */
  nextCursor: string | null;
};

export type ProjectPage = {
  items: Project[];
  /** For the page that follows */
  nextCursor: string | null;
};

export type NewColumn = {
  /** Unique within the project */
  id?: string;
  /** Not only white space */
  name: string;
  /** What a task gets that is moved here */
  status: "todo" | "in_progress" | "done" | "cancelled";
};

export type NewProject = {
  /** Not only white space */
  name: string;
  description?: string;
  /** #rrggbb, kept in lower case */
  color?: string | null;
  /** In their order. A column's id is made where it is missing, and its status never changes */
  columns?: NewColumn[];
  archived?: boolean;
};

export type ProjectReplacement = {
  /** Not only white space */
  name: string;
  description?: string;
  /** #rrggbb, kept in lower case */
  color?: string | null;
  /** In their order. A column's id is made where it is missing, and its status never changes */
  columns?: NewColumn[];
  archived?: boolean;
};

export type ProjectPatch = {
  /** Not only white space */
  name?: string;
  /** `null` sets the default: `""` */
  description?: string | null;
  /** #rrggbb, kept in lower case. `null` sets the default: `null` */
  color?: string | null;
  /** In their order. A column's id is made where it is missing, and its status never changes */
  columns?: NewColumn[];
  /** `null` sets the default: `false` */
  archived?: boolean | null;
};

export type TaskPage = {
  items: Task[];
  /** For the page that follows */
  nextCursor: string | null;
};

export type NewTask = {
  /** Not only white space */
  title: string;
  description?: string;
  status?: "todo" | "in_progress" | "done" | "cancelled";
  priority?: "none" | "low" | "medium" | "high" | "urgent";
  labels?: string[];
  due?: Due | null;
  /** The id of a project of the space */
  projectId?: string | null;
  columnId?: string | null;
  /** The id of a task of the space */
  parentId?: string | null;
  assigneeIds?: string[];
  estimateMinutes?: number | null;
  /** An instant, as shorthand for `due` in UTC; not with it */
  dueAt?: string | null;
  /** Right after one task, right before another; both the wrong way round mean after the first */
  position?: {
    after?: string;
    before?: string;
  };
};

export type TaskReplacement = {
  /** Not only white space */
  title: string;
  description?: string;
  status?: "todo" | "in_progress" | "done" | "cancelled";
  priority?: "none" | "low" | "medium" | "high" | "urgent";
  labels?: string[];
  due?: Due | null;
  /** The id of a project of the space */
  projectId?: string | null;
  columnId?: string | null;
  /** The id of a task of the space */
  parentId?: string | null;
  assigneeIds?: string[];
  estimateMinutes?: number | null;
  /** An instant, as shorthand for `due` in UTC; not with it */
  dueAt?: string | null;
  /** Right after one task, right before another; both the wrong way round mean after the first */
  position?: {
    after?: string;
    before?: string;
  };
};

/** A part of a `due`: members that are not named stay, `null` takes one away */
export type DuePatch = {
  /** A day of the calendar */
  date?: string;
  /** HH:MM[:SS[.mmm]], kept in its shortest form */
  time?: string | null;
  /** A name of the IANA time zone database; only with `time` */
  timeZone?: string | null;
};

export type TaskPatch = {
  /** Not only white space */
  title?: string;
  /** `null` sets the default: `""` */
  description?: string | null;
  /** `null` sets the default: `"todo"` */
  status?: "todo" | "in_progress" | "done" | "cancelled" | null;
  /** `null` sets the default: `"none"` */
  priority?: "none" | "low" | "medium" | "high" | "urgent" | null;
  /** The whole list, or what is added to it and removed from it. `null` sets the default: `[]` */
  labels?: string[] | {
    add?: string[];
    remove?: string[];
  } | null;
  due?: DuePatch | null;
  /** The id of a project of the space. `null` sets the default: `null` */
  projectId?: string | null;
  /** `null` sets the default: `null` */
  columnId?: string | null;
  /** The id of a task of the space. `null` sets the default: `null` */
  parentId?: string | null;
  /** The whole list, or what is added to it and removed from it. `null` sets the default: `[]` */
  assigneeIds?: string[] | {
    add?: string[];
    remove?: string[];
  } | null;
  /** `null` sets the default: `null` */
  estimateMinutes?: number | null;
  /** An instant, as shorthand for `due` in UTC; not with it */
  dueAt?: string | null;
  /** Right after one task, right before another; both the wrong way round mean after the first */
  position?: {
    after?: string;
    before?: string;
  };
};

export type CommentPage = {
  items: Comment[];
  /** For the page that follows */
  nextCursor: string | null;
};

export type NewComment = {
  /** The id of a task of the space */
  taskId: string;
  /** Not only white space */
  body: string;
};

export type CommentPatch = {
  /** Not only white space */
  body?: string;
};

export type WebhookPage = {
  items: Webhook[];
  /** For the page that follows */
  nextCursor: string | null;
};

export type WebhookPatch = {
  /** http or https */
  url?: string;
  /** The whole list, or what is added to it and removed from it. `null` sets the default: `[]` */
  types?: string[] | {
    add?: string[];
    remove?: string[];
  } | null;
  /** `null` sets the default: `true` */
  active?: boolean | null;
};

export type WebhookWithSecret = {
  id: string;
  spaceId: string;
  /** http or https */
  url: string;
  types: string[];
  active: boolean;
  generation: number;
  /** RFC 3339, answered as UTC with milliseconds */
  rotatedAt: string | null;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
  /** Shown once; null in a repeat */
  secret: string | null;
};

export type NewWebhook = {
  /** http or https */
  url: string;
  types?: string[];
  active?: boolean;
};

export type DeliveryAttempt = {
  /** Null: a test */
  seq: number | null;
  at: string;
  /** Null: there was no answer */
  status: number | null;
  durationMs: number;
  /** What went wrong */
  error: string | null;
};

export type DeliveryLog = {
  status: "active" | "paused" | "disabled";
  /** The latest seq that is delivered, or was not to be */
  cursor: number;
  /** Failed attempts of the next fact */
  failures: number;
  nextAttemptAt: string | null;
  items: DeliveryAttempt[];
};

export type Deliveries = {
  status: "active" | "paused" | "disabled";
  /** The latest seq that is delivered, or was not to be */
  cursor: number;
  /** Failed attempts of the next fact */
  failures: number;
  nextAttemptAt: string | null;
};

export type Replay = {
  /** The first seq to be told again */
  from: number;
};

export type Skip = {
  /** Left out only where it is the next one, so that a repeated request leaves out nothing more */
  seq?: number;
};

export type NewSpace = {
  /** Not only white space */
  name: string;
};

export type SpaceEntry = {
  space: Space;
  member: Member;
  /** The latest of the space: where its feed is */
  seq: number;
};

export type SpaceList = {
  items: SpaceEntry[];
};

export type CreatedInvitation = {
  id: string;
  spaceId: string;
  role: "viewer" | "member" | "admin";
  /** RFC 3339, answered as UTC with milliseconds */
  expiresAt: string;
  maxUses: number;
  uses: number;
  note: string;
  creatorId: string;
  version: number;
  /** RFC 3339, answered as UTC with milliseconds */
  createdAt: string;
  /** RFC 3339, answered as UTC with milliseconds */
  updatedAt: string;
  /** The secret, shown once; null in a repeat */
  token: string | null;
  /** Has the secret in its fragment */
  url: string | null;
};

export type NewInvitation = {
  role: "viewer" | "member" | "admin";
  /** RFC 3339, answered as UTC with milliseconds */
  expiresAt?: string;
  maxUses?: number;
  note?: string;
};

export type Acceptance = {
  token: string;
};

export type LabelCount = {
  label: string;
  /** How many have it */
  tasks: number;
};

export type LabelList = {
  items: LabelCount[];
};

export type BatchAnswer = {
  operationId: string;
  /** The operation's place in what happened in the space */
  seq: number;
  /** Of each change the resource as it is at the end, null where it is deleted */
  items: (Space | Member | Invitation | Project | Task | Comment | Webhook | null)[];
};

export type ImportedNewProject = {
  /** Not only white space */
  name: string;
  description?: string;
  /** #rrggbb, kept in lower case */
  color?: string | null;
  /** In their order. A column's id is made where it is missing, and its status never changes */
  columns?: NewColumn[];
  archived?: boolean;
  /** RFC 3339, not in the future */
  createdAt?: string;
};

export type ImportedNewTask = {
  /** Not only white space */
  title: string;
  description?: string;
  status?: "todo" | "in_progress" | "done" | "cancelled";
  priority?: "none" | "low" | "medium" | "high" | "urgent";
  labels?: string[];
  due?: Due | null;
  /** The id of a project of the space */
  projectId?: string | null;
  columnId?: string | null;
  /** The id of a task of the space */
  parentId?: string | null;
  assigneeIds?: string[];
  estimateMinutes?: number | null;
  /** An instant, as shorthand for `due` in UTC; not with it */
  dueAt?: string | null;
  /** Right after one task, right before another; both the wrong way round mean after the first */
  position?: {
    after?: string;
    before?: string;
  };
  /** RFC 3339, not in the future */
  createdAt?: string;
  /** RFC 3339, not in the future */
  completedAt?: string | null;
};

export type ImportedTaskReplacement = {
  /** Not only white space */
  title: string;
  description?: string;
  status?: "todo" | "in_progress" | "done" | "cancelled";
  priority?: "none" | "low" | "medium" | "high" | "urgent";
  labels?: string[];
  due?: Due | null;
  /** The id of a project of the space */
  projectId?: string | null;
  columnId?: string | null;
  /** The id of a task of the space */
  parentId?: string | null;
  assigneeIds?: string[];
  estimateMinutes?: number | null;
  /** An instant, as shorthand for `due` in UTC; not with it */
  dueAt?: string | null;
  /** Right after one task, right before another; both the wrong way round mean after the first */
  position?: {
    after?: string;
    before?: string;
  };
  /** RFC 3339, not in the future */
  completedAt?: string | null;
};

export type ImportedTaskPatch = {
  /** Not only white space */
  title?: string;
  /** `null` sets the default: `""` */
  description?: string | null;
  /** `null` sets the default: `"todo"` */
  status?: "todo" | "in_progress" | "done" | "cancelled" | null;
  /** `null` sets the default: `"none"` */
  priority?: "none" | "low" | "medium" | "high" | "urgent" | null;
  /** The whole list, or what is added to it and removed from it. `null` sets the default: `[]` */
  labels?: string[] | {
    add?: string[];
    remove?: string[];
  } | null;
  due?: DuePatch | null;
  /** The id of a project of the space. `null` sets the default: `null` */
  projectId?: string | null;
  /** `null` sets the default: `null` */
  columnId?: string | null;
  /** The id of a task of the space. `null` sets the default: `null` */
  parentId?: string | null;
  /** The whole list, or what is added to it and removed from it. `null` sets the default: `[]` */
  assigneeIds?: string[] | {
    add?: string[];
    remove?: string[];
  } | null;
  /** `null` sets the default: `null` */
  estimateMinutes?: number | null;
  /** An instant, as shorthand for `due` in UTC; not with it */
  dueAt?: string | null;
  /** Right after one task, right before another; both the wrong way round mean after the first */
  position?: {
    after?: string;
    before?: string;
  };
  /** RFC 3339, not in the future */
  completedAt?: string | null;
};

export type ImportedNewComment = {
  /** The id of a task of the space */
  taskId: string;
  /** Not only white space */
  body: string;
  /** RFC 3339, not in the future */
  createdAt?: string;
};

export type BatchChange = {
  type: "project" | "task" | "comment";
  /** Needed for all but a creation */
  id?: string;
  kind: "create" | "patch" | "replace" | "delete" | "restore";
  /** The version that the resource must have then */
  expected?: number;
  /** As the request about the one resource would have it */
  body?: NewProject | ImportedNewProject | ProjectReplacement | ProjectPatch | NewTask | ImportedNewTask | TaskReplacement | ImportedTaskReplacement | TaskPatch | ImportedTaskPatch | NewComment | ImportedNewComment | CommentPatch;
};

export type Batch = {
  changes: BatchChange[];
  /** `createdAt` and `completedAt` of the past may be given */
  import?: boolean;
};

export type FactChange = {
  type: "space" | "member" | "invitation" | "project" | "task" | "comment" | "webhook";
  id: string;
  /** Of the resource, with this change */
  version: number;
  kind: "created" | "changed" | "deleted" | "restored" | "undone";
  fields: FieldChanges;
  /** Where that changed */
  deleted?: boolean;
};

/** What one operation did; there is one for each that changed something */
export type Fact = {
  spaceId: string;
  /** 1, 2, 3, ... without gap within the space */
  seq: number;
  at: string;
  /** The user who did it */
  actorId: string;
  operationId: string;
  changes: FactChange[];
};

export type FactPage = {
  items: Fact[];
  /** The last seq given, or the one asked for */
  after: number;
  /** The latest of the space */
  seq: number;
  /** Names the store of facts */
  epoch: string;
};

/** What each operation takes, beside the options of every call, and answers. */
export type Operations = {
  /** Become a member of the space that an invitation is to. */
  acceptInvitation: {
    takes: {
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: Acceptance;
    };
    answers: Member;
  };
  /** Many changes as one operation: all or none. */
  changeMany: {
    takes: {
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: Batch;
    };
    answers: BatchAnswer;
  };
  /** Many changes as one operation: all or none. */
  changeManyInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: Batch;
    };
    answers: BatchAnswer;
  };
  /** Change the account. */
  changeMe: {
    takes: {
      body: MeChange;
    };
    answers: User;
  };
  /** Change the password and end all other sessions. */
  changePassword: {
    takes: {
      body: PasswordChange;
    };
    answers: undefined;
  };
  /** Every change of a comment, newest first. */
  commentHistory: {
    takes: {
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** Every change of a comment, newest first. */
  commentHistoryInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** Create a comment. */
  createComment: {
    takes: {
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewComment;
    };
    answers: Comment;
  };
  /** Create a comment. */
  createCommentInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewComment;
    };
    answers: Comment;
  };
  /** Invite: make a secret that makes those who have it members. */
  createInvitation: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewInvitation;
    };
    answers: CreatedInvitation;
  };
  /** Create a project. */
  createProject: {
    takes: {
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewProject;
    };
    answers: Project;
  };
  /** Create a project. */
  createProjectInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewProject;
    };
    answers: Project;
  };
  /** Make a space, as its owner. */
  createSpace: {
    takes: {
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewSpace;
    };
    answers: Space;
  };
  /** Create a task. */
  createTask: {
    takes: {
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewTask;
    };
    answers: Task;
  };
  /** Create a task. */
  createTaskInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewTask;
    };
    answers: Task;
  };
  /** Make a webhook: an address that is told each fact from then on. */
  createWebhook: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: NewWebhook;
    };
    answers: WebhookWithSecret;
  };
  /** Delete an API token; it is refused from then on. */
  deleteApiToken: {
    takes: {
      /** The id of the resource */
      id: string;
    };
    answers: undefined;
  };
  /** Delete a comment; it can be restored. */
  deleteComment: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** Delete a comment; it can be restored. */
  deleteCommentInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** End a invitation. */
  deleteInvitation: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** End a member. */
  deleteMember: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** Delete a project; it can be restored. */
  deleteProject: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** Delete a project; it can be restored. */
  deleteProjectInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** Delete a space; it can be restored. */
  deleteSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** Delete a task; it can be restored. */
  deleteTask: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** Delete a task; it can be restored. */
  deleteTaskInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** End a webhook. */
  deleteWebhook: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: undefined;
  };
  /** End one session. */
  endSession: {
    takes: {
      /** The id of the resource */
      id: string;
    };
    answers: undefined;
  };
  /** Erase the account and all of its tasks. */
  eraseMe: {
    takes: {
      body: Erasure;
    };
    answers: undefined;
  };
  /** What a problem's code means. */
  explainProblem: {
    takes: {
      /** The code of a problem */
      code: "malformed-json" | "malformed-header" | "unauthenticated" | "invalid-credentials" | "token-reused" | "forbidden" | "registration-closed" | "not-found" | "method-not-allowed" | "email-taken" | "conflict" | "last-owner" | "limit-reached" | "resync" | "version-mismatch" | "body-too-large" | "unsupported-media-type" | "validation" | "invalid-reference" | "precondition-required" | "idempotency-mismatch" | "invalid-cursor" | "rate-limited" | "internal" | "log-unavailable" | "read-model-unavailable" | "users-unavailable" | "not-yet-visible" | "overloaded";
    };
    answers: ProblemExplanation;
  };
  /** Read a comment, now or as it was. */
  getComment: {
    takes: {
      /** The id of the resource */
      id: string;
      /** The comment as it was at this instant, a deleted one included */
      asOf?: string;
      /** The comment at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Comment;
  };
  /** Read a comment, now or as it was. */
  getCommentInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** The comment as it was at this instant, a deleted one included */
      asOf?: string;
      /** The comment at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Comment;
  };
  /** One fact. */
  getFact: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The fact's number in its space */
      seq: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Fact;
  };
  /** Read a invitation. */
  getInvitation: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Invitation;
  };
  /** Read a member, now or as it was. */
  getMember: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** The member as it was at this instant, a deleted one included */
      asOf?: string;
      /** The member at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Member;
  };
  /** What became of a change. */
  getOperation: {
    takes: {
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Operation;
  };
  /** What became of a change. */
  getOperationInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Operation;
  };
  /** Read a project, now or as it was. */
  getProject: {
    takes: {
      /** The id of the resource */
      id: string;
      /** The project as it was at this instant, a deleted one included */
      asOf?: string;
      /** The project at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Project;
  };
  /** Read a project, now or as it was. */
  getProjectInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** The project as it was at this instant, a deleted one included */
      asOf?: string;
      /** The project at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Project;
  };
  /** Read a space, now or as it was. */
  getSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The space as it was at this instant, a deleted one included */
      asOf?: string;
      /** The space at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Space;
  };
  /** Read a task, now or as it was. */
  getTask: {
    takes: {
      /** The id of the resource */
      id: string;
      /** The task as it was at this instant, a deleted one included */
      asOf?: string;
      /** The task at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Task;
  };
  /** Read a task, now or as it was. */
  getTaskInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** The task as it was at this instant, a deleted one included */
      asOf?: string;
      /** The task at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Task;
  };
  /** Read a webhook, now or as it was. */
  getWebhook: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** The webhook as it was at this instant, a deleted one included */
      asOf?: string;
      /** The webhook at this version, a deleted one included */
      version?: number;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: Webhook;
  };
  /** Every change of a invitation, newest first. */
  invitationHistory: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** The public keys of access tokens. */
  keys: {
    takes: {};
    answers: Jwks;
  };
  /** List tasks of all the caller's spaces. */
  listAllTasks: {
    takes: {
      /** Any of the given ones, up to 100 */
      id?: string[];
      /** `projectId` is this; `none`: has none */
      project?: string | "none";
      /** `columnId` is this */
      column?: string;
      /** `parentId` is this; `none`: has none */
      parent?: string | "none";
      /** `assigneeIds` is any of the given ones; `me`: the caller, `none`: has none */
      assignee?: (string | "me" | "none")[];
      /** `status` is any of the given ones */
      status?: ("todo" | "in_progress" | "done" | "cancelled")[];
      /** `priority` is any of the given ones */
      priority?: ("none" | "low" | "medium" | "high" | "urgent")[];
      /** `labels` has all of the given ones */
      label?: string[];
      /** Words that begin words of title or description */
      q?: string;
      /** An RFC 3339 instant or a date, exclusive */
      dueBefore?: string;
      /** An RFC 3339 instant or a date, exclusive */
      dueAfter?: string;
      /** `updatedAt` is after this instant, exclusive */
      updatedAfter?: string;
      /** `completedAt` is after this instant, exclusive */
      completedAfter?: string;
      /** What a day and a local time are for dueBefore and dueAfter; UTC unless given */
      timeZone?: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "title" | "-title" | "priority" | "-priority" | "dueAt" | "-dueAt" | "rank" | "-rank";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: TaskPage;
  };
  /** The account's API tokens, oldest first. */
  listApiTokens: {
    takes: {};
    answers: ApiTokenList;
  };
  /** List comments by filters, sorted, a page at a time. */
  listComments: {
    takes: {
      /** `taskId` is this */
      task?: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `createdAt` unless given */
      sort?: "createdAt" | "-createdAt";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: CommentPage;
  };
  /** List comments by filters, sorted, a page at a time. */
  listCommentsInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** `taskId` is this */
      task?: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `createdAt` unless given */
      sort?: "createdAt" | "-createdAt";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: CommentPage;
  };
  /** Where the deliveries are, and the last 100 attempts, newest first. */
  listDeliveries: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: DeliveryLog;
  };
  /** What happened in the space, in its order. */
  listFacts: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** Facts behind this seq */
      after?: number;
      /** Facts at most */
      limit?: number;
      /** As the client knows it: another one is 410 */
      epoch?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: FactPage;
  };
  /** List invitations by filters, sorted, a page at a time. */
  listInvitations: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: InvitationPage;
  };
  /** The labels of the space's tasks, with the number of tasks that have each. */
  listLabels: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: LabelList;
  };
  /** List members by filters, sorted, a page at a time. */
  listMembers: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: MemberPage;
  };
  /** List projects by filters, sorted, a page at a time. */
  listProjects: {
    takes: {
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "name" | "-name";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: ProjectPage;
  };
  /** List projects by filters, sorted, a page at a time. */
  listProjectsInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "name" | "-name";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: ProjectPage;
  };
  /** The account's living sessions, oldest first. */
  listSessions: {
    takes: {};
    answers: SessionList;
  };
  /** The caller's spaces, the personal one first. */
  listSpaces: {
    takes: {
      /** `true`: those that the caller owns and has deleted */
      deleted?: boolean;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: SpaceList;
  };
  /** List tasks by filters, sorted, a page at a time. */
  listTasks: {
    takes: {
      /** Any of the given ones, up to 100 */
      id?: string[];
      /** `projectId` is this; `none`: has none */
      project?: string | "none";
      /** `columnId` is this */
      column?: string;
      /** `parentId` is this; `none`: has none */
      parent?: string | "none";
      /** `assigneeIds` is any of the given ones; `me`: the caller, `none`: has none */
      assignee?: (string | "me" | "none")[];
      /** `status` is any of the given ones */
      status?: ("todo" | "in_progress" | "done" | "cancelled")[];
      /** `priority` is any of the given ones */
      priority?: ("none" | "low" | "medium" | "high" | "urgent")[];
      /** `labels` has all of the given ones */
      label?: string[];
      /** Words that begin words of title or description */
      q?: string;
      /** An RFC 3339 instant or a date, exclusive */
      dueBefore?: string;
      /** An RFC 3339 instant or a date, exclusive */
      dueAfter?: string;
      /** `updatedAt` is after this instant, exclusive */
      updatedAfter?: string;
      /** `completedAt` is after this instant, exclusive */
      completedAfter?: string;
      /** What a day and a local time are for dueBefore and dueAfter; UTC unless given */
      timeZone?: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "title" | "-title" | "priority" | "-priority" | "dueAt" | "-dueAt" | "rank" | "-rank";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: TaskPage;
  };
  /** List tasks by filters, sorted, a page at a time. */
  listTasksInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** Any of the given ones, up to 100 */
      id?: string[];
      /** `projectId` is this; `none`: has none */
      project?: string | "none";
      /** `columnId` is this */
      column?: string;
      /** `parentId` is this; `none`: has none */
      parent?: string | "none";
      /** `assigneeIds` is any of the given ones; `me`: the caller, `none`: has none */
      assignee?: (string | "me" | "none")[];
      /** `status` is any of the given ones */
      status?: ("todo" | "in_progress" | "done" | "cancelled")[];
      /** `priority` is any of the given ones */
      priority?: ("none" | "low" | "medium" | "high" | "urgent")[];
      /** `labels` has all of the given ones */
      label?: string[];
      /** Words that begin words of title or description */
      q?: string;
      /** An RFC 3339 instant or a date, exclusive */
      dueBefore?: string;
      /** An RFC 3339 instant or a date, exclusive */
      dueAfter?: string;
      /** `updatedAt` is after this instant, exclusive */
      updatedAfter?: string;
      /** `completedAt` is after this instant, exclusive */
      completedAfter?: string;
      /** What a day and a local time are for dueBefore and dueAfter; UTC unless given */
      timeZone?: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt" | "updatedAt" | "-updatedAt" | "title" | "-title" | "priority" | "-priority" | "dueAt" | "-dueAt" | "rank" | "-rank";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: TaskPage;
  };
  /** The names of users, by their ids. */
  listUserNames: {
    takes: {
      /** The id of a user */
      id?: string[];
    };
    answers: UserNameList;
  };
  /** List webhooks by filters, sorted, a page at a time. */
  listWebhooks: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** `true` lists only deleted ones */
      deleted?: boolean;
      /** `-` for descending; `-createdAt` unless given */
      sort?: "createdAt" | "-createdAt";
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: WebhookPage;
  };
  /** Sign in. */
  login: {
    takes: {
      body: Credentials;
    };
    answers: Tokens;
  };
  /** End this session. */
  logout: {
    takes: {};
    answers: undefined;
  };
  /** End all sessions of the account. */
  logoutAll: {
    takes: {};
    answers: undefined;
  };
  /** Make an API token; its secret is shown once. */
  makeApiToken: {
    takes: {
      body: NewApiToken;
    };
    answers: CreatedApiToken;
  };
  /** The account. */
  me: {
    takes: {};
    answers: User;
  };
  /** Every change of a member, newest first. */
  memberHistory: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** This contract as an OpenAPI 3.1 document. */
  openApi: {
    takes: {};
    answers: {
      /** The version of OpenAPI */
      openapi: string;
      /** By path */
      paths: Record<string, unknown>;
    };
  };
  /** The compatibility aliases as an OpenAPI 3.1 document. */
  openApiAliases: {
    takes: {};
    answers: {
      /** The version of OpenAPI */
      openapi: string;
      /** By path */
      paths: Record<string, unknown>;
    };
  };
  /** Change the named fields (JSON Merge Patch). */
  patchComment: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: CommentPatch;
    };
    answers: Comment;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchCommentInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: CommentPatch;
    };
    answers: Comment;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchMember: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: MemberPatch;
    };
    answers: Member;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchProject: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: ProjectPatch;
    };
    answers: Project;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchProjectInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: ProjectPatch;
    };
    answers: Project;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: SpacePatch;
    };
    answers: Space;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchTask: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: TaskPatch;
    };
    answers: Task;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchTaskInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: TaskPatch;
    };
    answers: Task;
  };
  /** Change the named fields (JSON Merge Patch). */
  patchWebhook: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      body: WebhookPatch;
    };
    answers: Webhook;
  };
  /** Every change of a project, newest first. */
  projectHistory: {
    takes: {
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** Every change of a project, newest first. */
  projectHistoryInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** Create a comment under a chosen id with If-None-Match: *. */
  putComment: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      /** Quoted versions that the client has; `*` with PUT: make it, if there is none */
      ifNoneMatch?: string;
      body: NewComment;
    };
    answers: Comment;
  };
  /** Create a comment under a chosen id with If-None-Match: *. */
  putCommentInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      /** Quoted versions that the client has; `*` with PUT: make it, if there is none */
      ifNoneMatch?: string;
      body: NewComment;
    };
    answers: Comment;
  };
  /** Replace a project's writable fields, or create it under a chosen id with If-None-Match: *. */
  putProject: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      /** Quoted versions that the client has; `*` with PUT: make it, if there is none */
      ifNoneMatch?: string;
      body: ProjectReplacement;
    };
    answers: Project;
  };
  /** Replace a project's writable fields, or create it under a chosen id with If-None-Match: *. */
  putProjectInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      /** Quoted versions that the client has; `*` with PUT: make it, if there is none */
      ifNoneMatch?: string;
      body: ProjectReplacement;
    };
    answers: Project;
  };
  /** Replace a task's writable fields, or create it under a chosen id with If-None-Match: *. */
  putTask: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      /** Quoted versions that the client has; `*` with PUT: make it, if there is none */
      ifNoneMatch?: string;
      body: TaskReplacement;
    };
    answers: Task;
  };
  /** Replace a task's writable fields, or create it under a chosen id with If-None-Match: *. */
  putTaskInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
      /** Quoted versions that the client has; `*` with PUT: make it, if there is none */
      ifNoneMatch?: string;
      body: TaskReplacement;
    };
    answers: Task;
  };
  /** Spend a refresh token for fresh tokens. */
  refresh: {
    takes: {
      body?: RefreshRequest;
    };
    answers: Tokens;
  };
  /** Make an account and sign in. */
  register: {
    takes: {
      body: Registration;
    };
    answers: Tokens;
  };
  /** Tell the facts from a seq on again. */
  replayWebhook: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body: Replay;
    };
    answers: Deliveries;
  };
  /** Set a new password by the operator's link, and end all sessions. */
  resetPassword: {
    takes: {
      body: Reset;
    };
    answers: undefined;
  };
  /** Bring a deleted comment back. */
  restoreComment: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Comment;
  };
  /** Bring a deleted comment back. */
  restoreCommentInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Comment;
  };
  /** Bring a deleted project back. */
  restoreProject: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Project;
  };
  /** Bring a deleted project back. */
  restoreProjectInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Project;
  };
  /** Bring a deleted space back. */
  restoreSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Space;
  };
  /** Bring a deleted task back. */
  restoreTask: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Task;
  };
  /** Bring a deleted task back. */
  restoreTaskInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Task;
  };
  /** Go on after a pause, where it was, at once. */
  resumeWebhook: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
    };
    answers: Deliveries;
  };
  /** What has ended before its time. */
  revocations: {
    takes: {};
    answers: Revocations;
  };
  /** A new secret; the one before counts for another day. */
  rotateWebhookSecret: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: WebhookWithSecret;
  };
  /** Leave out the next fact, for this webhook. */
  skipDelivery: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      body?: Skip;
    };
    answers: Deliveries;
  };
  /** Every change of a space, newest first. */
  spaceHistory: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** Every change of a task, newest first. */
  taskHistory: {
    takes: {
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** Every change of a task, newest first. */
  taskHistoryInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
  /** Send a message that is no fact, once, and say what came of it. */
  testWebhook: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
    };
    answers: DeliveryAttempt;
  };
  /** Take back all that one operation did, as one new operation. */
  undoOperation: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
    };
    answers: BatchAnswer;
  };
  /** Take back all that one operation did, as one new operation. */
  undoOperationInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
    };
    answers: BatchAnswer;
  };
  /** Take back the latest change, as a new version. */
  undoProject: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Project;
  };
  /** Take back the latest change, as a new version. */
  undoProjectInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Project;
  };
  /** Take back the latest change, as a new version. */
  undoTask: {
    takes: {
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Task;
  };
  /** Take back the latest change, as a new version. */
  undoTaskInSpace: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** 1 to 255 visible ASCII characters; the same request sent again with it takes effect once */
      idempotencyKey?: string;
      /** Quoted versions of which the resource must have one, or `*` for any */
      ifMatch?: string;
    };
    answers: Task;
  };
  /** Whether a token is good now, and whose it is. */
  verify: {
    takes: {
      body: VerifyRequest;
    };
    answers: Verification;
  };
  /** Every change of a webhook, newest first. */
  webhookHistory: {
    takes: {
      /** The id of the space; `me`: the caller's personal space */
      spaceId: string;
      /** The id of the resource */
      id: string;
      /** Items at most */
      limit?: number;
      /** `nextCursor` of the page before */
      cursor?: string;
      /** From the answer to a write: the read sees that write or a later one */
      consistencyToken?: string;
    };
    answers: HistoryPage;
  };
};

/** How each operation is asked. `signed`: as a user. `keyed`: it takes an Idempotency-Key. */
export const operations = {
  acceptInvitation: { method: "POST", path: "/v1/invitations/accept", signed: true, keyed: true, body: "application/json" },
  changeMany: { method: "POST", path: "/v1/batch", signed: true, keyed: true, body: "application/json" },
  changeManyInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/batch", signed: true, keyed: true, body: "application/json" },
  changeMe: { method: "PATCH", path: "/v1/auth/me", signed: true, body: "application/json" },
  changePassword: { method: "POST", path: "/v1/auth/password", signed: true, body: "application/json" },
  commentHistory: { method: "GET", path: "/v1/comments/{id}/history", signed: true },
  commentHistoryInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/comments/{id}/history", signed: true },
  createComment: { method: "POST", path: "/v1/comments", signed: true, keyed: true, body: "application/json" },
  createCommentInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/comments", signed: true, keyed: true, body: "application/json" },
  createInvitation: { method: "POST", path: "/v1/spaces/{spaceId}/invitations", signed: true, keyed: true, body: "application/json" },
  createProject: { method: "POST", path: "/v1/projects", signed: true, keyed: true, body: "application/json" },
  createProjectInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/projects", signed: true, keyed: true, body: "application/json" },
  createSpace: { method: "POST", path: "/v1/spaces", signed: true, keyed: true, body: "application/json" },
  createTask: { method: "POST", path: "/v1/tasks", signed: true, keyed: true, body: "application/json" },
  createTaskInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/tasks", signed: true, keyed: true, body: "application/json" },
  createWebhook: { method: "POST", path: "/v1/spaces/{spaceId}/webhooks", signed: true, keyed: true, body: "application/json" },
  deleteApiToken: { method: "DELETE", path: "/v1/auth/tokens/{id}", signed: true },
  deleteComment: { method: "DELETE", path: "/v1/comments/{id}", signed: true, keyed: true },
  deleteCommentInSpace: { method: "DELETE", path: "/v1/spaces/{spaceId}/comments/{id}", signed: true, keyed: true },
  deleteInvitation: { method: "DELETE", path: "/v1/spaces/{spaceId}/invitations/{id}", signed: true, keyed: true },
  deleteMember: { method: "DELETE", path: "/v1/spaces/{spaceId}/members/{id}", signed: true, keyed: true },
  deleteProject: { method: "DELETE", path: "/v1/projects/{id}", signed: true, keyed: true },
  deleteProjectInSpace: { method: "DELETE", path: "/v1/spaces/{spaceId}/projects/{id}", signed: true, keyed: true },
  deleteSpace: { method: "DELETE", path: "/v1/spaces/{spaceId}", signed: true, keyed: true },
  deleteTask: { method: "DELETE", path: "/v1/tasks/{id}", signed: true, keyed: true },
  deleteTaskInSpace: { method: "DELETE", path: "/v1/spaces/{spaceId}/tasks/{id}", signed: true, keyed: true },
  deleteWebhook: { method: "DELETE", path: "/v1/spaces/{spaceId}/webhooks/{id}", signed: true, keyed: true },
  endSession: { method: "DELETE", path: "/v1/auth/sessions/{id}", signed: true },
  eraseMe: { method: "DELETE", path: "/v1/auth/me", signed: true, body: "application/json" },
  explainProblem: { method: "GET", path: "/problems/{code}" },
  getComment: { method: "GET", path: "/v1/comments/{id}", signed: true },
  getCommentInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/comments/{id}", signed: true },
  getFact: { method: "GET", path: "/v1/spaces/{spaceId}/facts/{seq}", signed: true },
  getInvitation: { method: "GET", path: "/v1/spaces/{spaceId}/invitations/{id}", signed: true },
  getMember: { method: "GET", path: "/v1/spaces/{spaceId}/members/{id}", signed: true },
  getOperation: { method: "GET", path: "/v1/operations/{id}", signed: true },
  getOperationInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/operations/{id}", signed: true },
  getProject: { method: "GET", path: "/v1/projects/{id}", signed: true },
  getProjectInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/projects/{id}", signed: true },
  getSpace: { method: "GET", path: "/v1/spaces/{spaceId}", signed: true },
  getTask: { method: "GET", path: "/v1/tasks/{id}", signed: true },
  getTaskInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/tasks/{id}", signed: true },
  getWebhook: { method: "GET", path: "/v1/spaces/{spaceId}/webhooks/{id}", signed: true },
  invitationHistory: { method: "GET", path: "/v1/spaces/{spaceId}/invitations/{id}/history", signed: true },
  keys: { method: "GET", path: "/.well-known/jwks.json" },
  listAllTasks: { method: "GET", path: "/v1/me/tasks", signed: true },
  listApiTokens: { method: "GET", path: "/v1/auth/tokens", signed: true },
  listComments: { method: "GET", path: "/v1/comments", signed: true },
  listCommentsInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/comments", signed: true },
  listDeliveries: { method: "GET", path: "/v1/spaces/{spaceId}/webhooks/{id}/deliveries", signed: true },
  listFacts: { method: "GET", path: "/v1/spaces/{spaceId}/facts", signed: true },
  listInvitations: { method: "GET", path: "/v1/spaces/{spaceId}/invitations", signed: true },
  listLabels: { method: "GET", path: "/v1/spaces/{spaceId}/labels", signed: true },
  listMembers: { method: "GET", path: "/v1/spaces/{spaceId}/members", signed: true },
  listProjects: { method: "GET", path: "/v1/projects", signed: true },
  listProjectsInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/projects", signed: true },
  listSessions: { method: "GET", path: "/v1/auth/sessions", signed: true },
  listSpaces: { method: "GET", path: "/v1/spaces", signed: true },
  listTasks: { method: "GET", path: "/v1/tasks", signed: true },
  listTasksInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/tasks", signed: true },
  listUserNames: { method: "GET", path: "/v1/users", signed: true },
  listWebhooks: { method: "GET", path: "/v1/spaces/{spaceId}/webhooks", signed: true },
  login: { method: "POST", path: "/v1/auth/login", body: "application/json" },
  logout: { method: "POST", path: "/v1/auth/logout", signed: true },
  logoutAll: { method: "POST", path: "/v1/auth/logout-all", signed: true },
  makeApiToken: { method: "POST", path: "/v1/auth/tokens", signed: true, body: "application/json" },
  me: { method: "GET", path: "/v1/auth/me", signed: true },
  memberHistory: { method: "GET", path: "/v1/spaces/{spaceId}/members/{id}/history", signed: true },
  openApi: { method: "GET", path: "/v1/openapi.json" },
  openApiAliases: { method: "GET", path: "/v1/openapi-aliases.json" },
  patchComment: { method: "PATCH", path: "/v1/comments/{id}", signed: true, keyed: true, body: "application/json" },
  patchCommentInSpace: { method: "PATCH", path: "/v1/spaces/{spaceId}/comments/{id}", signed: true, keyed: true, body: "application/json" },
  patchMember: { method: "PATCH", path: "/v1/spaces/{spaceId}/members/{id}", signed: true, keyed: true, body: "application/json" },
  patchProject: { method: "PATCH", path: "/v1/projects/{id}", signed: true, keyed: true, body: "application/json" },
  patchProjectInSpace: { method: "PATCH", path: "/v1/spaces/{spaceId}/projects/{id}", signed: true, keyed: true, body: "application/json" },
  patchSpace: { method: "PATCH", path: "/v1/spaces/{spaceId}", signed: true, keyed: true, body: "application/json" },
  patchTask: { method: "PATCH", path: "/v1/tasks/{id}", signed: true, keyed: true, body: "application/json" },
  patchTaskInSpace: { method: "PATCH", path: "/v1/spaces/{spaceId}/tasks/{id}", signed: true, keyed: true, body: "application/json" },
  patchWebhook: { method: "PATCH", path: "/v1/spaces/{spaceId}/webhooks/{id}", signed: true, keyed: true, body: "application/json" },
  projectHistory: { method: "GET", path: "/v1/projects/{id}/history", signed: true },
  projectHistoryInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/projects/{id}/history", signed: true },
  putComment: { method: "PUT", path: "/v1/comments/{id}", signed: true, keyed: true, body: "application/json" },
  putCommentInSpace: { method: "PUT", path: "/v1/spaces/{spaceId}/comments/{id}", signed: true, keyed: true, body: "application/json" },
  putProject: { method: "PUT", path: "/v1/projects/{id}", signed: true, keyed: true, body: "application/json" },
  putProjectInSpace: { method: "PUT", path: "/v1/spaces/{spaceId}/projects/{id}", signed: true, keyed: true, body: "application/json" },
  putTask: { method: "PUT", path: "/v1/tasks/{id}", signed: true, keyed: true, body: "application/json" },
  putTaskInSpace: { method: "PUT", path: "/v1/spaces/{spaceId}/tasks/{id}", signed: true, keyed: true, body: "application/json" },
  refresh: { method: "POST", path: "/v1/auth/refresh", body: "application/json" },
  register: { method: "POST", path: "/v1/auth/register", body: "application/json" },
  replayWebhook: { method: "POST", path: "/v1/spaces/{spaceId}/webhooks/{id}/replay", signed: true, keyed: true, body: "application/json" },
  resetPassword: { method: "POST", path: "/v1/auth/reset", body: "application/json" },
  restoreComment: { method: "POST", path: "/v1/comments/{id}/restore", signed: true, keyed: true },
  restoreCommentInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/comments/{id}/restore", signed: true, keyed: true },
  restoreProject: { method: "POST", path: "/v1/projects/{id}/restore", signed: true, keyed: true },
  restoreProjectInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/projects/{id}/restore", signed: true, keyed: true },
  restoreSpace: { method: "POST", path: "/v1/spaces/{spaceId}/restore", signed: true, keyed: true },
  restoreTask: { method: "POST", path: "/v1/tasks/{id}/restore", signed: true, keyed: true },
  restoreTaskInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/tasks/{id}/restore", signed: true, keyed: true },
  resumeWebhook: { method: "POST", path: "/v1/spaces/{spaceId}/webhooks/{id}/resume", signed: true, keyed: true },
  revocations: { method: "GET", path: "/.well-known/revocations.json" },
  rotateWebhookSecret: { method: "POST", path: "/v1/spaces/{spaceId}/webhooks/{id}/rotate", signed: true, keyed: true },
  skipDelivery: { method: "POST", path: "/v1/spaces/{spaceId}/webhooks/{id}/skip", signed: true, keyed: true, body: "application/json" },
  spaceHistory: { method: "GET", path: "/v1/spaces/{spaceId}/history", signed: true },
  taskHistory: { method: "GET", path: "/v1/tasks/{id}/history", signed: true },
  taskHistoryInSpace: { method: "GET", path: "/v1/spaces/{spaceId}/tasks/{id}/history", signed: true },
  testWebhook: { method: "POST", path: "/v1/spaces/{spaceId}/webhooks/{id}/test", signed: true, keyed: true },
  undoOperation: { method: "POST", path: "/v1/operations/{id}/undo", signed: true, keyed: true },
  undoOperationInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/operations/{id}/undo", signed: true, keyed: true },
  undoProject: { method: "POST", path: "/v1/projects/{id}/undo", signed: true, keyed: true },
  undoProjectInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/projects/{id}/undo", signed: true, keyed: true },
  undoTask: { method: "POST", path: "/v1/tasks/{id}/undo", signed: true, keyed: true },
  undoTaskInSpace: { method: "POST", path: "/v1/spaces/{spaceId}/tasks/{id}/undo", signed: true, keyed: true },
  verify: { method: "POST", path: "/v1/auth/verify", body: "application/json" },
  webhookHistory: { method: "GET", path: "/v1/spaces/{spaceId}/webhooks/{id}/history", signed: true },
} as const;
