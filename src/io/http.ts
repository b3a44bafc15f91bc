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
