/** Where a machine calls Provision: the value of `siderolink.api`, and of `apiUrl` in SideroLinkConfig (facts §7.1). */

export interface LinkUrl {
  /** host:port, IPv6 in brackets. */
  readonly endpoint: string;
  /** Shown as join_token; the token of one boot. */
  readonly token?: string | undefined;
  /** WireGuard goes through the same connection, for sites that block UDP. */
  readonly overGrpc?: boolean;
}

/** `grpc://host:port?jointoken=…&grpc_tunnel=true`: gRPC without TLS, which is what a URL without a scheme means too. */
export function linkUrl({ endpoint, token, overGrpc = false }: LinkUrl): string {
  const query = [
    ...(token === undefined ? [] : [`jointoken=${encodeURIComponent(token)}`]),
    ...(overGrpc ? ["grpc_tunnel=true"] : []),
  ];
  return `grpc://${endpoint}${query.length === 0 ? "" : `?${query.join("&")}`}`;
}
