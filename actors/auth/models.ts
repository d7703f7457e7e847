/** What clients send to auth's routes and get from them. */
import { type Static, Type as t } from "@sinclair/typebox";
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

export const Registration = t.Object({ email, password: newPassword, name: t.Optional(name) }, strict);
/** Whom an operator adds. */
export const NewUser = t.Object({ email, name: t.Optional(name) }, strict);
export const Reset = t.Object({ resetToken: presentedToken, newPassword }, strict);
export const Credentials = t.Object({ email: presentedEmail, password: presentedPassword }, strict);
/** Without one the token is to come as a cookie. */
export const RefreshRequest = t.Object({ refreshToken: t.Optional(presentedToken) }, strict);
/** What an account has of what its owner may change, until it is given. */
export const accountDefaults = { name: null };
export const MeChange = t.Object(
  { ...patchFields({ name, email }, accountDefaults), currentPassword: t.Optional(presentedPassword) },
  strict,
);
export const Erasure = t.Object({ currentPassword: presentedPassword }, strict);
export const PasswordChange = t.Object({ currentPassword: presentedPassword, newPassword }, strict);
export const NewApiToken = t.Object(
  {
    name,
    expiresAt: t.Optional(instant),
    scopes: t.Optional(t.Array(scope, { minItems: 1, maxItems: scopes.length, uniqueItems: true })),
  },
  strict,
);
export const VerifyRequest = t.Object({ token: text({ maxLength: 4_096 }) }, strict);
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
  strict,
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

export const User = t.Object({
  id: uuid,
  email: t.String(),
  name: t.Union([t.String(), t.Null()]),
  createdAt: instant,
});
export const UserNames = t.Object({
  items: t.Array(t.Object({ id: uuid, name: t.Union([t.String(), t.Null()]) })),
});
export const Tokens = t.Object({
  accessToken: t.String(),
  tokenType: t.Literal("Bearer"),
  expiresIn: t.Integer({ description: "seconds" }),
  refreshToken: t.Optional(t.String({ description: "left out where it comes as a cookie" })),
  user: User,
});
export const OAuthTokens = t.Object({
  access_token: t.String(),
  token_type: t.Literal("Bearer"),
  expires_in: t.Integer({ description: "seconds" }),
  refresh_token: t.String(),
});
export const SessionList = t.Object({
  items: t.Array(
    t.Object({
      id: uuid,
      createdAt: instant,
      lastUsedAt: instant,
      userAgent: t.Union([t.String(), t.Null()]),
      current: t.Boolean(),
    }),
  ),
});
const apiToken = {
  id: uuid,
  name: t.String(),
  scopes: t.Array(scope),
  createdAt: instant,
  expiresAt: t.Union([instant, t.Null()]),
};
export const ApiTokenMade = t.Object({ ...apiToken, token: t.String({ description: "shown once" }) });
export const ApiTokenList = t.Object({ items: t.Array(t.Object(apiToken)) });
export const Verification = t.Object({
  active: t.Boolean(),
  sub: t.Optional(uuid),
  sid: t.Optional(uuid),
  exp: t.Optional(t.Integer({ description: "epoch seconds" })),
  scopes: t.Optional(t.Array(scope)),
});
export const Revocations = t.Object({
  issuer: t.String(),
  audience: t.String(),
  revoked: t.Array(
    t.Object({
      hash: t.String({
        pattern: "^[0-9a-f]{64}$",
        description: "SHA-256 of the session's id (`sid`), or of the API token's whole text",
      }),
      untilMs: t.Integer({ description: "epoch milliseconds; of no interest afterwards" }),
    }),
  ),
});
export const Jwks = t.Object({ keys: t.Array(t.Record(t.String(), t.String())) });
