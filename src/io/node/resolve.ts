import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Fault } from "#std/fault.ts";
import type { Resolve } from "../resolve.ts";

/** By the system: /etc/hosts, then DNS. */
export const systemResolve: Resolve = async (host) => {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (cause) {
    throw new Fault("io.unreachable", `no address is known for the name ${host}`, { fault: "world", retry: "soon", cause });
  }
};
