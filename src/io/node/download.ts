/** Downloads by undici, through the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. */
import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { EnvHttpProxyAgent } from "undici";
import { Fault } from "#std/fault.ts";
import { createDownload, type Download } from "../download.ts";
import type { HttpResponse } from "../http.ts";
import { faultOf, pieces } from "./http-client.ts";

export interface Downloads {
  readonly download: Download;
  close(): Promise<void>;
}

export interface DownloadOptions {
  /** Milliseconds without a byte after which a server is given up. Default a minute. */
  readonly silence?: number;
}

/** Milliseconds until a connection must be up, TLS included. */
const CONNECT_TIME = 15_000;
const SILENCE = 60_000;

/** Where clouds keep credentials of machines, and nobody keeps kernels: no URL and no redirect may have us read from there. */
const forbidden = new BlockList();
forbidden.addSubnet("169.254.0.0", 16, "ipv4");
forbidden.addSubnet("fe80::", 10, "ipv6");
forbidden.addAddress("fd00:ec2::254", "ipv6");

export function createDownloads({ silence = SILENCE }: DownloadOptions = {}): Downloads {
  const agent = new EnvHttpProxyAgent({
    headersTimeout: silence,
    bodyTimeout: silence,
    allowH2: false,
    connect: { timeout: CONNECT_TIME, lookup: allowedLookup },
  });
  const download = createDownload(async (url, headers, signal) => {
    try {
      refuseForbidden(url.hostname.replace(/^\[|\]$/g, ""));
      const { origin, pathname, search } = url;
      const answer = await agent.request({ origin, path: pathname + search, method: "GET", headers, signal });
      const body = pieces(answer.body, origin, signal);
      return { status: answer.statusCode, headers: answer.headers as HttpResponse["headers"], body };
    } catch (error) {
      throw faultOf(error, url.origin, signal);
    }
  });
  return { download, close: () => agent.destroy() };
}

function refuseForbidden(address: string): void {
  const family = isIP(address);
  if (family === 0 || !forbidden.check(address, family === 6 ? "ipv6" : "ipv4")) return;
  throw new Fault("io.url", `nothing is downloaded from the link-local address ${address}`, { fault: "caller", retry: "later" });
}

/** A name may stand for such an address as well. */
const allowedLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "", 0);
    try {
      for (const { address } of addresses) refuseForbidden(address);
    } catch (refusal) {
      return callback(refusal as Error, "", 0);
    }
    if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};
