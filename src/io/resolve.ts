/** The door to names: the IP address of a host name, or the address itself when it is one. Rejects with Fault `io.unreachable` (world, soon). */
export type Resolve = (host: string) => Promise<string>;
