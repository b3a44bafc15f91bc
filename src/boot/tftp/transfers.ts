/** The transfers of one socket, told apart by the client's address and port alone: all of them go over the same port of ours. */
import type { What, Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Datagram, UdpEndpoint } from "#io/udp.ts";
import { Fault } from "#std/fault.ts";
import { ERROR } from "#wire/tftp/constants.ts";
import { decode } from "#wire/tftp/decode.ts";
import { encode } from "#wire/tftp/encode.ts";
import type { State, Turn } from "#wire/tftp/machine.ts";
import type { ErrorPacket, Packet, Request } from "#wire/tftp/packet.ts";
import { Sender, refusalOf } from "#wire/tftp/sender.ts";
import { keysOf, shown } from "./name.ts";
import type { Quota } from "./quota.ts";

export interface TftpClient extends UdpEndpoint {
  /** The address of ours that it asked. */
  readonly local: string;
  /** It is iPXE that asks, of whatever age, not the firmware that will load it. */
  readonly isIpxe: boolean;
}

/**
 * The bytes of a file, which must not change while they are sent; why this client does not get it; undefined when there is no such
 * file. `name` has no slash in front and no `..` in it ({@link file://./name.ts}).
 */
export type TftpFiles = (name: string, client: TftpClient) => Uint8Array | { readonly refusal: string } | undefined;

export interface TransfersOptions {
  readonly files: TftpFiles;
  readonly clock: Clock;
  readonly log: Log;
  readonly witness: Witness;
  readonly quota: Quota;
  /** The address of ours that the socket is bound to. */
  readonly local: string;
  readonly send: (bytes: Uint8Array, to: UdpEndpoint) => void;
}

interface Transfer {
  readonly sender: Sender;
  readonly file: string;
  readonly peer: UdpEndpoint;
  readonly begun: number;
  wakeAt: number;
  /** When it ended; undefined while it is under way. */
  endedAt: number | undefined;
}

/**
 * Milliseconds a transfer is remembered after its end (RFC 1350 §6, "dallying"): what comes late is then no stray, whose ERROR might hit
 * the client's next transfer from the same port.
 */
const REMEMBERED = 3_000;

export class Transfers {
  readonly #options: TransfersOptions;
  readonly #byPeer = new Map<string, Transfer>();

  constructor(options: TransfersOptions) {
    this.#options = options;
  }

  /** Nothing is under way and nothing remembered: no need to sweep. */
  get isEmpty(): boolean {
    return this.#byPeer.size === 0;
  }

  hear({ bytes, from }: Datagram): void {
    const packet = this.#read(bytes, from);
    if (packet === undefined) return;
    const key = `${from.address} ${from.port}`;
    const known = this.#byPeer.get(key);
    const isRequest = packet.kind === "read-request" || packet.kind === "write-request";
    if (known === undefined) {
      if (isRequest) this.#begin(packet, key, from);
      // An ERROR is never answered with an ERROR, or two servers would do so for ever.
      else if (packet.kind !== "error") this.#sendError(ERROR.unknownTransfer, "no such transfer", from);
      return;
    }
    if (known.endedAt === undefined) this.#follow(known, known.sender.onPacket(packet, this.#options.clock.monotonic()));
    if (known.endedAt !== undefined && isRequest) this.#begin(packet, key, from);
  }

  /** Repeats what was not answered in time and forgets what ended long ago; to be called several times a second. */
  sweep(): void {
    const now = this.#options.clock.monotonic();
    for (const [key, transfer] of this.#byPeer) {
      if (transfer.endedAt === undefined) {
        if (transfer.wakeAt <= now) this.#follow(transfer, transfer.sender.onTime(now));
      } else if (now - transfer.endedAt >= REMEMBERED) this.#byPeer.delete(key);
    }
  }

  /** Ends everything under way; clients see silence, as after a power loss of ours. */
  abandon(): void {
    for (const transfer of this.#byPeer.values()) {
      if (transfer.endedAt === undefined) this.#end(transfer, "tftp.failed", "the server stopped");
    }
    this.#byPeer.clear();
  }

  #read(bytes: Uint8Array, from: UdpEndpoint): Packet | undefined {
    try {
      return decode(bytes);
    } catch (error) {
      if (!Fault.is(error)) throw error;
      this.#options.log.debug("TFTP: no packet", { from: from.address, problem: error.message });
      return undefined;
    }
  }

  #begin(request: Request, key: string, peer: UdpEndpoint): void {
    const { clock, quota, files, local } = this.#options;
    const refusal = refusalOf(request);
    if (refusal !== undefined) return this.#refuse(request, refusal, peer);
    const found = find(files, request.file, { ...peer, local, isIpxe: isIpxe(request) });
    if (found === undefined) {
      const message = `there is no file "${shown(request.file)}"`;
      return this.#refuse(request, { kind: "error", code: ERROR.fileNotFound, message }, peer);
    }
    if (!(found instanceof Uint8Array)) {
      return this.#refuse(request, { kind: "error", code: ERROR.accessViolation, message: shown(found.refusal) }, peer);
    }
    const obstacle = quota.take(peer.address);
    if (obstacle !== undefined) return this.#postpone(request, obstacle, peer);
    const read = (offset: number, length: number): Uint8Array => found.subarray(offset, offset + length);
    const now = clock.monotonic();
    const sender = new Sender(request, { size: found.length, read });
    const transfer = { sender, file: shown(request.file), peer, begun: now, wakeAt: now, endedAt: undefined };
    this.#byPeer.set(key, transfer);
    this.#follow(transfer, sender.start(now));
  }

  #follow(transfer: Transfer, { send, wakeAt, state }: Turn): void {
    for (const bytes of send) this.#options.send(bytes, transfer.peer);
    if (state.kind === "running") {
      transfer.wakeAt = wakeAt ?? Number.POSITIVE_INFINITY;
      return;
    }
    const { clock } = this.#options;
    const { bytes, blockSize, windowSize, repetitions } = transfer.sender.progress;
    if (state.kind === "done") {
      const took = Math.round(clock.monotonic() - transfer.begun);
      const how = `blocks of ${blockSize}, windows of ${windowSize}${repetitions === 0 ? "" : `, ${repetitions} repetitions`}`;
      this.#end(transfer, "tftp.sent", `sent ${transfer.file}: ${bytes} bytes in ${took} ms (${how})`, bytes, took);
    } else if (state.kind === "failed") this.#end(transfer, "tftp.failed", `${why(state)} after ${bytes} bytes`, bytes);
    else if (bytes > 0) this.#end(transfer, "tftp.failed", `the client began anew after ${bytes} bytes`, bytes);
    // Firmware asks for the size first and gives up before the first byte; what it does next is another transfer.
    else this.#end(transfer);
  }

  #end(transfer: Transfer, what?: What, text = "", bytes?: number, took?: number): void {
    transfer.endedAt = this.#options.clock.monotonic();
    this.#options.quota.give(transfer.peer.address);
    if (what === undefined) return;
    const line = what === "tftp.failed" ? `could not send ${transfer.file}: ${text}` : text;
    this.#see(what, line, transfer.peer, { ...(bytes !== undefined && { bytes }), ...(took !== undefined && { took }) });
  }

  #refuse(request: Request, error: ErrorPacket, peer: UdpEndpoint): void {
    this.#options.send(encode(error), peer);
    const wish = request.kind === "write-request" ? "to write" : "for";
    this.#see("tftp.refused", `asked ${wish} ${shown(request.file)}: ${error.message}`, peer);
  }

  /** Firmware takes an ERROR as final, but asks again after silence. */
  #postpone(request: Request, obstacle: string, peer: UdpEndpoint): void {
    const text = `asked for ${shown(request.file)}, not answered: ${obstacle}`;
    this.#see("tftp.refused", text, peer, { waitingFor: "other machines' TFTP transfers to end" });
  }

  #sendError(code: number, message: string, peer: UdpEndpoint): void {
    this.#options.send(encode({ kind: "error", code, message }), peer);
  }

  #see(what: What, text: string, peer: UdpEndpoint, more: { bytes?: number; took?: number; waitingFor?: string } = {}): void {
    const { witness, log, clock } = this.#options;
    witness({ of: { address: peer.address }, at: clock.now(), what, text, ...more });
    if (what === "tftp.sent") log.info(`TFTP: ${text}`, { to: peer.address });
    else log.warn(`TFTP: ${text}`, { to: peer.address });
  }
}

/** iPXE and gPXE before it ask for these, in this order, and so does nothing else that boots (iPXE's `tftp_send_rrq`). */
function isIpxe({ options }: Request): boolean {
  return [...options].join(";") === "blksize,1432;tsize,0";
}

function find(files: TftpFiles, file: string, client: TftpClient): ReturnType<TftpFiles> {
  for (const key of keysOf(file)) {
    const found = files(key, client);
    if (found !== undefined) return found;
  }
  return undefined;
}

function why(state: State & { kind: "failed" }): string {
  if (state.reason === "silence") return "the client fell silent";
  return `the client says "${shown(state.message)}" (error ${state.code})`;
}
