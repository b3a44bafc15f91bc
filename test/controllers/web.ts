/** A web server (Node's own) that serves one file, correctly or with the faults that are asked for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How the next answers are; what is absent is as it should be. */
export interface Manners {
  readonly content: Buffer;
  /** Default: one by the content. "" for none. */
  readonly etag?: string;
  readonly lastModified?: string;
  /** Answer with this status and nothing else. */
  readonly status?: number;
  /** Redirect there. */
  readonly location?: string;
  /** Cut the connection after so many bytes of the body. */
  readonly cutAfter?: number;
  /** Say that the body is this much longer (or shorter) than it is. */
  readonly lengthOff?: number;
  /** Serve the whole file whatever range is asked for. */
  readonly ignoresRanges?: boolean;
  /** Serve the range even when If-Range does not fit. */
  readonly ignoresIfRange?: boolean;
  /** Answer ranges that begin so many bytes later. */
  readonly rangeOff?: number;
  /** Neither length nor chunks: the end is where the connection ends. */
  readonly untilClose?: boolean;
  readonly chunked?: boolean;
  readonly encoding?: string;
  /** Change this byte of what is sent. */
  readonly damageAt?: number;
  /** Send so many bytes every two milliseconds. */
  readonly pace?: number;
  /** Say nothing more after so many bytes. */
  readonly hangAfter?: number;
}

export interface Web {
  readonly origin: string;
  manners: Manners;
  /** `GET /x bytes=5-` of each request. */
  readonly requests: string[];
  readonly authorizations: (string | undefined)[];
  close(): Promise<void>;
}

export async function startWeb(manners: Manners, port = 0): Promise<Web> {
  const server: Server = createServer((request, response) => {
    web.requests.push([request.method, request.url, request.headers.range].filter((part) => part !== undefined).join(" "));
    web.authorizations.push(request.headers.authorization);
    answer(web.manners, request, response);
  });
  server.keepAliveTimeout = 100;
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const web: Web = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    manners,
    requests: [],
    authorizations: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return web;
}

export function etagOf(content: Buffer): string {
  return `"${content.length}-${content.reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 7)}"`;
}

function answer(manners: Manners, request: IncomingMessage, response: ServerResponse): void {
  const { content, status, location } = manners;
  if (location !== undefined) return void response.writeHead(302, { location }).end();
  if (status !== undefined) return void response.writeHead(status).end("no\n");
  const etag = manners.etag ?? etagOf(content);
  const headers: Record<string, string | number> = { "accept-ranges": "bytes" };
  if (etag !== "") headers["etag"] = etag;
  if (manners.lastModified !== undefined) headers["last-modified"] = manners.lastModified;
  if (manners.encoding !== undefined) headers["content-encoding"] = manners.encoding;
  const condition = request.headers["if-range"];
  const isSame =
    condition === undefined || condition === etag || condition === manners.lastModified || manners.ignoresIfRange === true;
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? -1);
  const isRange = from >= 0 && isSame && manners.ignoresRanges !== true;
  if (isRange && from >= content.length) {
    return void response.writeHead(416, { "content-range": `bytes */${content.length}` }).end();
  }
  const start = isRange ? Math.min(content.length - 1, from + (manners.rangeOff ?? 0)) : 0;
  const body = Buffer.from(content.subarray(start));
  if (manners.damageAt !== undefined && manners.damageAt >= start) body[manners.damageAt - start]! ^= 0xff;
  if (isRange) headers["content-range"] = `bytes ${start}-${content.length - 1}/${content.length}`;
  if (manners.untilClose === true) {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    response.socket!.end(Buffer.concat([Buffer.from(["HTTP/1.0 200 OK", ...lines, "", ""].join("\r\n")), cut(body, manners)]));
    return;
  }
  if (manners.chunked !== true) headers["content-length"] = body.length + (manners.lengthOff ?? 0);
  response.writeHead(isRange ? 206 : 200, headers);
  response.on("error", () => {});
  const part = cut(body, manners);
  if (manners.pace !== undefined) return send(part, manners.pace, response);
  if (manners.hangAfter !== undefined) response.write(body.subarray(0, manners.hangAfter));
  else if (manners.cutAfter === undefined && (manners.lengthOff ?? 0) <= 0) response.end(part);
  else response.write(part, () => response.socket?.destroy());
}

function send(body: Buffer, pace: number, response: ServerResponse): void {
  if (response.destroyed) return;
  if (body.length === 0) return void response.end();
  response.write(body.subarray(0, pace), () => setTimeout(() => send(body.subarray(pace), pace, response), 2));
}

function cut(body: Buffer, { cutAfter = Infinity, lengthOff = 0 }: Manners): Buffer {
  return body.subarray(0, Math.min(body.length + Math.min(0, lengthOff), cutAfter));
}
