/** IEEE 802.1AB-2016. */

/** §7.3: where it is sent to. Bridges do not pass it on. */
export const NEAREST_BRIDGE = "01:80:c2:00:00:0e";
export const ETHER_TYPE = 0x88cc;

/** §8.4.1 */
export const TLV = {
  end: 0,
  chassis: 1,
  port: 2,
  timeToLive: 3,
  portDescription: 4,
  systemName: 5,
  systemDescription: 6,
  managementAddress: 8,
  organization: 127,
} as const;

/** §8.5.2.2 and §8.5.3.2: the subtypes that are no text. They have different numbers for the same in chassis and port. */
export const BINARY_SUBTYPE = {
  chassis: { mac: 4, address: 5 },
  port: { mac: 3, address: 4 },
} as const;

/** OUI of IEEE 802.1, and its Port VLAN ID (IEEE 802.1Q §D.2.1). */
export const OUI_8021 = 0x0080c2;
export const PORT_VLAN = 1;

/** What is kept of one text; a TLV has at most 511 bytes. */
export const TEXT_LIMIT = 255;
