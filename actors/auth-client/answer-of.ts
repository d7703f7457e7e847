/** One request to the auth role over HTTP: answered whole within its deadline and bounds, or not at all. */

export type Bounds = { readonly timeoutMs: number; readonly bytesMax: number; readonly stopping?: AbortSignal };
export type WholeAnswer = {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array<ArrayBuffer>;
};

/** Redirects are not followed: auth has none. Rejects when nobody is there, or it is late, or it says too much. */
export async function answerOf(url: string, request: RequestInit, bounds: Bounds): Promise<WholeAnswer> {
  const late = AbortSignal.timeout(bounds.timeoutMs);
  const signal = bounds.stopping === undefined ? late : AbortSignal.any([late, bounds.stopping]);
  const response = await fetch(url, { ...request, redirect: "manual", signal });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  if (response.body !== null) {
    // Leaving the loop by a throw closes the connection.
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > bounds.bytesMax) throw new Error(`Cannot read the answer: it has more than ${bounds.bytesMax} bytes`);
      chunks.push(chunk);
    }
  }
  return { status: response.status, headers: response.headers, bytes: new Uint8Array(Buffer.concat(chunks)) };
}
