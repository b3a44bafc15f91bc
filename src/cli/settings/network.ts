/** Just enough of address syntax to refuse an impossible setting at start. */

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;

export function isIpv4(text: string): boolean {
  return IPV4.test(text);
}

/** RFC 4291 §2.2, with `::` at most once and an embedded IPv4 tail allowed; zones are not. */
export function isIpv6(text: string): boolean {
  const halves = text.split("::");
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")));
  const tail = groups.at(-1) ?? "";
  const width = groups.length + (isIpv4(tail) ? 1 : 0);
  const hex = isIpv4(tail) ? groups.slice(0, -1) : groups;
  if (!hex.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? width < 8 : width === 8;
}

/** A message for anything but `address/prefix` (CIDR). */
export function ipNetworkProblem(text: string): string | undefined {
  const [address, prefix, ...rest] = text.split("/");
  const bits = isIpv4(address!) ? 32 : isIpv6(address!) ? 128 : undefined;
  if (bits === undefined || prefix === undefined || rest.length > 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > bits) {
    return `"${text}" is not a network such as 10.0.0.0/8`;
  }
  return undefined;
}
