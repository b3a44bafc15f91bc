/** Where logs of machines are sent on to. */
import { parseListenAddress } from "./address.ts";

export type Forward = "stdout" | { readonly host: string; readonly port: number };

const TCP = "tcp://";

/** `stdout` or `tcp://host:port`; undefined for neither. */
export function parseForward(text: string): Forward | undefined {
  if (text === "stdout") return text;
  if (!text.startsWith(TCP)) return undefined;
  const read = parseListenAddress(text.slice(TCP.length));
  return "value" in read && read.value !== undefined && read.value.host !== "" && read.value.port > 0 ? read.value : undefined;
}
