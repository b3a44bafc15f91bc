/** Downloads without a network: each origin is a handler in this process. */
import { Fault } from "#std/fault.ts";
import { createDownload, type Download } from "../download.ts";
import type { Handler } from "../serve.ts";
import { createMemoryTransport } from "./transport.ts";

/** `origins` by `https://host[:port]`; others are unreachable, and so is one that is taken out. */
export function createMemoryDownload(origins: Map<string, Handler>): Download {
  return createDownload(async (url, headers, signal) => {
    const handler = origins.get(url.origin);
    if (handler === undefined) {
      throw new Fault("io.unreachable", `${url.origin}: no route to host`, { fault: "world", retry: "soon" });
    }
    return await createMemoryTransport(handler).request({ method: "GET", target: url.pathname + url.search, headers, signal });
  });
}
