/** Addresses to listen on, as they are written. */
import type { ListenAddress } from "./setting.ts";

/** `host:port`, `:port`, `[v6]:port`; `off`, `0` or nothing turn the listener off. */
export function parseListenAddress(text: string): { value: ListenAddress | undefined } | { problem: string } {
  if (text === "off" || text === "0" || text === "") return { value: undefined };
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^[\]:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65535)
    return { problem: `"${text}" is not an address such as 127.0.0.1:6443, [::1]:6443 or :6443, nor off` };
  return { value: { host: found[1] ?? found[2] ?? "", port } };
}
