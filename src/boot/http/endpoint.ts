/** Where machines reach Sidero. */
import type { Incoming } from "#io/serve.ts";

export interface EndpointSettings {
  /** The setting api-endpoint: address or name; "" where it is to be found out. */
  readonly endpoint: string;
  /** The setting api-port; for machines that cannot be asked how they got here, or when there is an endpoint. */
  readonly port: number;
}

const AUTHORITY = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,252}))(?::\d{1,5})?$/i;

/**
 * `host:port`, to be put in the script that answers this request. Without a setting it is what the machine itself has just called us
 * (Host): that has worked for it, through whatever maps ports and addresses in between. Whoever sends another name sends only
 * itself there. A request without it came to an address of ours.
 */
export function endpointOf(
  { headers, local }: Pick<Incoming, "headers" | "local">,
  { endpoint, port }: EndpointSettings,
): string {
  if (endpoint !== "") return `${bracketed(endpoint)}:${port}`;
  const host = headers["host"] ?? "";
  if (AUTHORITY.test(host)) return /:\d+$/.test(host) ? host : `${host}:80`;
  return `${bracketed(local?.address ?? "localhost")}:${local?.port ?? port}`;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
