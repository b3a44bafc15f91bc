/** One command and its answer, whatever carries them: a session over UDP, or the kernel's `/dev/ipmi0` (IPMI 2.0 §5). */

export interface IpmiRequest {
  /** Even: the network function of the request (§5.1). */
  readonly netFn: number;
  readonly command: number;
  readonly data: Uint8Array;
  readonly lun?: number;
}

export interface IpmiResponse {
  /** §5.2; 0 when all went well. */
  readonly completion: number;
  /** Without the completion code. */
  readonly data: Uint8Array;
}

/** One command at a time to one BMC, whatever carries it. */
export interface IpmiChannel {
  /**
   * Resolves with what the BMC answers, also when it says no. Rejects with Fault `ipmi.unreachable` (world, soon) when it does not, or with the
   * reason of an aborted `signal`.
   */
  request(request: IpmiRequest, signal?: AbortSignal): Promise<IpmiResponse>;
}
