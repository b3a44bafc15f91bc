/**
 * The door to the BMC of the machine that a program runs on: its system interface (IPMI 2.0 §5), by way of the operating system. Nobody logs in there:
 * whoever may open it is the machine's administrator. For the agent.
 */
export interface IpmiDevice {
  /**
   * Sends a request and resolves to its response, whatever its completion code. Requests go out one after the other. Fault `io.timeout` (world, soon): no
   * answer in time; `io.failed` (world, later): the operating system would not carry it; `io.malformed` (peer, later): the answer has no completion code.
   * Or rejects with the signal's reason.
   */
  request(message: IpmiMessage, signal?: AbortSignal): Promise<IpmiAnswer>;
  /** Resolves when nothing is under way any more; what was fails with `io.closed`. */
  close(): Promise<void>;
}

export interface IpmiMessage {
  /** Even: of a request (§5.1). */
  readonly netFn: number;
  /** 0 if absent. */
  readonly lun?: number;
  readonly command: number;
  readonly data: Uint8Array;
}

export interface IpmiAnswer {
  /** 0: it was done (§5.2). */
  readonly completion: number;
  /** Behind the completion code. */
  readonly data: Uint8Array;
}

/** Undefined on a machine without one; Fault `io.failed` when there is one that cannot be opened. */
export type OpenIpmiDevice = () => Promise<IpmiDevice | undefined>;
