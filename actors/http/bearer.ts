/** The `Authorization` header (RFC 6750 §2.1): the scheme in any case, then the token. */

const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** A JWT begins so, as its header is a JSON object: whoever verifies it looks at each character of one that is not known yet. */
const beforeJwt = "Bearer ";
const jwt = `${beforeJwt}ey`;

/** The token, or undefined when the header is missing or is none of a bearer. */
export function bearerToken(authorization: string | null): string | undefined {
  if (authorization === null) return undefined;
  return authorization.startsWith(jwt) ? authorization.slice(beforeJwt.length) : bearer.exec(authorization)?.[1];
}
