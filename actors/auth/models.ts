/** What clients send to auth's routes and get from them. */
import { type Static, type TSchema, Type as t } from "@sinclair/typebox";
import { patchFields } from "../http/merge-patch.ts";
import { text } from "../http/text.ts";
import { scopes } from "./api-tokens.ts";
import { isCommonPassword } from "./common-passwords.ts";
import { emailFault } from "./email.ts";

const uuid = t.String({ format: "uuid" });
export const userId = uuid;
const instant = t.String({ format: "date-time" });
const email = text({ minLength: 1, maxLength: 254, fault: emailFault, format: "email" });
const name = text({ minLength: 1, maxLength: 200 });
const newPassword = text({
  minLength: 8,
  maxLength: 1_024,
  fault: (value) => (isCommonPassword(value) ? "must not be one of the most common passwords" : undefined),
});
/** What is compared only: no rule of new ones applies, a bound does. */
const presentedEmail = text({ minLength: 1, maxLength: 254 });
const presentedPassword = text({ minLength: 1, maxLength: 1_024 });
const presentedToken = text({ minLength: 1, maxLength: 4_096 });
const scope = t.Union(scopes.map((each) => t.Literal(each)));
const strict = { additionalProperties: false };
/** `$id`: its name in the published document. */
const named = ($id: string) => ({ ...strict, $id });

export const Registration = t.Object({ email, password: newPassword, name: t.Optional(name) }, named("Registration"));
/** Whom an operator adds. */
export const NewUser = t.Object({ email, name: t.Optional(name) }, strict);
export const Reset = t.Object({ resetToken: presentedToken, newPassword }, named("Reset"));
export const Credentials = t.Object({ email: presentedEmail, password: presentedPassword }, named("Credentials"));
/** Without one the token is to come as a cookie. */
export const RefreshRequest = t.Object({ refreshToken: t.Optional(presentedToken) }, named("RefreshRequest"));
/** What an account has of what its owner may change, until it is given. */
export const accountDefaults = { name: null };
export const MeChange = t.Object(
  { ...patchFields({ name, email }, accountDefaults), currentPassword: t.Optional(presentedPassword) },
  named("MeChange"),
);
export const Erasure = t.Object({ currentPassword: presentedPassword }, named("Erasure"));
export const PasswordChange = t.Object({ currentPassword: presentedPassword, newPassword }, named("PasswordChange"));
export const NewApiToken = t.Object(
  {
    name,
    expiresAt: t.Optional(instant),
    scopes: t.Optional(
      t.Array(scope, { minItems: 1, maxItems: scopes.length, uniqueItems: true, description: "What it may do" }),
    ),
  },
  named("NewApiToken"),
);
export const VerifyRequest = t.Object({ token: text({ maxLength: 4_096 }) }, named("VerifyRequest"));
const ignored = t.Optional(text({ maxLength: 1_024 }));
export const PasswordGrant = t.Object(
  {
    username: presentedEmail,
    password: presentedPassword,
    grant_type: ignored,
    scope: ignored,
    client_id: ignored,
    client_secret: ignored,
  },
  named("PasswordGrant"),
);

export type Registration = Static<typeof Registration>;
export type Reset = Static<typeof Reset>;
export type Credentials = Static<typeof Credentials>;
export type RefreshRequest = Static<typeof RefreshRequest>;
export type MeChange = { name?: string | null; email?: string; currentPassword?: string };
export type Erasure = Static<typeof Erasure>;
export type PasswordChange = Static<typeof PasswordChange>;
export type NewApiToken = Static<typeof NewApiToken>;
export type VerifyRequest = Static<typeof VerifyRequest>;
export type PasswordGrant = Static<typeof PasswordGrant>;

const or = <S extends TSchema>(schema: S) => t.Union([schema, t.Null()]);
const list = <S extends TSchema>(item: S, $id: string) => t.Object({ items: t.Array(item) }, { $id });

export const User = t.Object(
  {
    id: uuid,
    email: t.String({ description: "As it was given" }),
    name: or(t.String({ description: "Null where none was given" })),
    createdAt: instant,
  },
  { $id: "User" },
);
const UserName = t.Object({ id: uuid, name: or(t.String()) }, { $id: "UserName" });
export const UserNames = list(UserName, "UserNameList");
export const Tokens = t.Object(
  {
    accessToken: t.String({ description: "For the `Authorization` header" }),
    tokenType: t.Literal("Bearer"),
    expiresIn: t.Integer({ description: "Seconds until the access token expires" }),
    refreshToken: t.Optional(
      t.String({ description: "Good once, for fresh tokens; left out where it comes as a cookie" }),
    ),
    user: User,
  },
  { $id: "Tokens" },
);
export const OAuthTokens = t.Object(
  {
    access_token: t.String(),
    token_type: t.Literal("Bearer"),
    expires_in: t.Integer({ description: "Seconds" }),
    refresh_token: t.String(),
  },
  { $id: "OAuthTokens" },
);
const Session = t.Object(
  {
    id: uuid,
    createdAt: instant,
    lastUsedAt: instant,
    userAgent: or(t.String({ description: "The `User-Agent` of the sign-in" })),
    current: t.Boolean({ description: "It is the one that asks" }),
  },
  { $id: "Session" },
);
export const SessionList = list(Session, "SessionList");
const apiToken = {
  id: uuid,
  name: t.String({ description: "What its owner calls it" }),
  scopes: t.Array(scope, { description: "What it may do" }),
  createdAt: instant,
  expiresAt: or(instant),
};
export const ApiTokenMade = t.Object(
  { ...apiToken, token: t.String({ description: "The secret, shown once", examples: ["tt_Yx3kQ"] }) },
  { $id: "CreatedApiToken" },
);
const ApiToken = t.Object(apiToken, { $id: "ApiToken" });
export const ApiTokenList = list(ApiToken, "ApiTokenList");
export const Verification = t.Object(
  {
    active: t.Boolean({ description: "The token is good now" }),
    sub: t.Optional({ ...uuid, description: "Whose it is" }),
    sid: t.Optional({ ...uuid, description: "The session of an access token" }),
    exp: t.Optional(t.Integer({ description: "When it ends, in epoch seconds" })),
    scopes: t.Optional(t.Array(scope)),
  },
  { $id: "Verification" },
);
const Revocation = t.Object(
  {
    hash: t.String({
      pattern: "^[0-9a-f]{64}$",
      description: "SHA-256 of the session's id (`sid`), or of the API token's whole text",
    }),
    untilMs: t.Integer({ description: "Epoch milliseconds; of no interest afterwards" }),
  },
  { $id: "Revocation" },
);
export const Revocations = t.Object(
  {
    issuer: t.String({ description: "`iss` of the access tokens" }),
    audience: t.String({ description: "`aud` of the access tokens" }),
    revoked: t.Array(Revocation),
  },
  { $id: "Revocations" },
);
export const Jwks = t.Object(
  { keys: t.Array(t.Record(t.String(), t.String()), { description: "JSON Web Keys (RFC 7517)" }) },
  { $id: "Jwks" },
);
