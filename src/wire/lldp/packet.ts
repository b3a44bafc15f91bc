/** What a neighbour says of itself (IEEE 802.1AB-2016 §8 and the organisations' own TLVs). A field that is not there is undefined. */
export interface LldpPacket {
  /** In text, whatever its subtype: a MAC address, a network address, a name. */
  readonly chassis: string;
  readonly port: string;
  /** Seconds for which this holds; 0 says that the neighbour goes away. */
  readonly timeToLive: number;
  readonly portDescription?: string | undefined;
  readonly systemName?: string | undefined;
  readonly systemDescription?: string | undefined;
  /** The first one given. */
  readonly managementAddress?: string | undefined;
  /** Port VLAN ID (IEEE 802.1Q §D.2.1); 0 when the port has none. */
  readonly vlan?: number | undefined;
}
