/** The other end of a connection, as the platform's server knows it. */
export type Peer = {
  /** An IP address without its port; undefined when it is not known (any more). To be read at once: it is looked up only then. */
  readonly remoteAddress: string | undefined;
  /** Whether the request is over: its answer was taken by the platform or the client went away. Where it is not known it is undefined. */
  readonly isGone?: boolean | undefined;
};
