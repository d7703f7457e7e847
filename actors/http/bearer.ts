/** The `Authorization` header (RFC 6750 §2.1): the scheme in any case, then the token. */

const bearer = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/** The token, or undefined when the header is missing or is none of a bearer. */
export function bearerToken(authorization: string | null): string | undefined {
  return authorization === null ? undefined : bearer.exec(authorization)?.[1];
}
