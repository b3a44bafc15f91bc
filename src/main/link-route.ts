/** `GET /sidero/link`: how SideroLink is, as JSON. For administrators. It is no check of `/readyz`: everything else works without it. */
import type { Outgoing } from "#io/serve.ts";
import type { TunnelStatus } from "#link/kept-tunnel.ts";

export const LINK_STATUS_PATH = "/sidero/link";

/** Off: nobody asked for it. Opening: it is not there yet. */
export type LinkStatus = (TunnelStatus & { readonly address: string }) | { readonly is: "off" } | { readonly is: "opening" };

export function linkStatusAnswer(status: LinkStatus): Outgoing {
  const headers = { "content-type": "application/json", "cache-control": "no-store" };
  return { status: 200, headers, body: [Buffer.from(`${JSON.stringify(status)}\n`)] };
}
