/** What no deployment needs to change; the limits that matter to operators are in ListenOptions. */

/** Bytes of all request headers together; selectors of a few thousand names travel in the request line. */
export const HEADER_BYTES = 64 * 1024;
/** Milliseconds until a request must have arrived whole, body included. */
export const REQUEST_TIME = 300_000;
/** Connections at once; a process has about as many file descriptors. */
export const CONNECTIONS = 16_384;
/** HTTP/2 streams at once on one connection: a controller has one watch for each kind, kubectl a handful. */
export const STREAMS = 1_000;
/** Milliseconds that answers under way get to finish when the listener closes. */
export const GRACE = 2_000;
/** Milliseconds of silence after which TCP asks whether the peer is still there: watches may be silent for long. */
export const KEEP_ALIVE = 30_000;
