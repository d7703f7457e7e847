/** What a request is for, as it was sent: no host, however odd, keeps it from being read. */

/** Path and query. */
export function targetOf(url: string): string {
  const start = url.startsWith("/") ? 0 : url.indexOf("/", url.indexOf("://") + 3);
  return start < 0 ? "/" : url.slice(start);
}

export function pathOf(url: string): string {
  const target = targetOf(url);
  const end = target.indexOf("?");
  return end < 0 ? target : target.slice(0, end);
}

/** https://fetch.spec.whatwg.org/#forbidden-method */
const forbiddenMethods = /^(?:CONNECT|TRACE|TRACK)$/i;

/**
 * The method under which a request can be handed on: one that the platform forbids is as unknown to every route as OPTIONS is, and so is one in small
 * letters, which the platform would take for the method in capitals (RFC 9110 §9.1 tells them apart).
 */
export function methodOf({ method }: { readonly method: string }): string {
  return forbiddenMethods.test(method) || method !== method.toUpperCase() ? "OPTIONS" : method;
}
