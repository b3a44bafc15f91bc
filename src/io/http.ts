/** The door to HTTP as a client: one exchange, a streamed answer. Node's twin is undici; the memory twin calls a handler in process. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, e.g. `/api/v1/nodes?limit=5`. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; repeated headers (Warning) as lists. */
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Must be read to the end or its request's signal aborted. */
  readonly body: AsyncIterable<Uint8Array>;
  /** What came after the body, once it has been read; the memory transport alone has it. */
  readonly trailers?: () => Readonly<Record<string, string>>;
}

export interface HttpTransport {
  request(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

/** A server's certificate as a TLS handshake has shown it. */
export interface ShownCertificate {
  /** SHA-256 over its DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** It chains to an authority that is trusted, is within its dates and names the host. */
  readonly isVerified: boolean;
  /** Why it does not verify. */
  readonly problem?: string;
}

/** Is asked at each handshake, before anything is sent; throws the Fault that the request then rejects with to refuse the server. */
export type Judge = (certificate: ShownCertificate) => void;

export interface HttpTarget {
  /** `https://host:port` or `http://host:port`. */
  readonly server: string;
  /** PEM of the authorities that may have signed the server's certificate; absent: the system's. */
  readonly ca?: string;
  /** PEM: who we are, when a certificate says it. */
  readonly certificate?: string;
  readonly key?: string;
  /** Who we are, when a bearer token says it. */
  readonly token?: string;
  /** The name the server's certificate must have, where it is not the one in `server`. */
  readonly serverName?: string;
  /** Absent: a certificate that does not verify is refused. */
  readonly judge?: Judge;
  /** Milliseconds until a connection is up, and until an answer begins. */
  readonly connectTime?: number;
  readonly answerTime?: number;
}

/** Makes a transport to one server; nothing is connected before the first request. */
export type OpenHttp = (target: HttpTarget) => HttpTransport;
