/**
 * `sidero.link.WireGuardOverGRPCService`: WireGuard's datagrams in a stream of gRPC, for sites that let no UDP through (facts §7.3). Each stream has a socket of
 * its own on loopback: to WireGuard it is one more place that a peer may come from, and as WireGuard answers to where the last packet came from that its key has
 * signed, nobody gets another's packets by opening a stream in its name.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { type LinkNetwork, moveAddress } from "#decide/link/address.ts";
import type { Log } from "#io/log.ts";
import type { Handler, Incoming, Outgoing, Sink } from "#io/serve.ts";
import type { OpenUdp, UdpSocket } from "#io/udp.ts";
import { PeerPacketSchema } from "#proto/siderolink/wireguard_pb.js";
import { Fault } from "#std/fault.ts";
import type { KeptTunnel } from "./kept-tunnel.ts";
import { enveloped, messagesOf } from "./messages.ts";
import { refusal, rpcFault, trailersOf } from "./unary.ts";

export const RELAY_PATH = "/sidero.link.WireGuardOverGRPCService/CreateStream";
/** Upstream's; nothing listens there, it only is a part of a name. */
export const VIRTUAL_PORT = 50888;

const WHO = "x-siderolink-ipv6-addr";
/** A datagram through a tunnel with an MTU of 1280 has less than half of it. */
const LONGEST = 4096;
/** A machine has one, and for a while one that it has given up. */
const MOST = { all: 8192, machine: 4 };
const LOOPBACK = "127.0.0.1";

export interface RelayOptions {
  /** Of the tunnel's addresses, and of those that name peers here. */
  readonly network: LinkNetwork;
  readonly virtual: LinkNetwork;
  readonly nameAt: (address: string) => string | undefined;
  readonly tunnel: Pick<KeptTunnel, "isUp">;
  /** UDP, on this host. */
  readonly wireguardPort: number;
  readonly openUdp: OpenUdp;
  readonly log: Log;
}

export function createRelay({ network, virtual, nameAt, tunnel, wireguardPort, openUdp, log }: RelayOptions): Handler {
  const streams = new Map<string, number>();
  let all = 0;

  function enter(machine: string): () => void {
    const count = streams.get(machine) ?? 0;
    if (all >= MOST.all || count >= MOST.machine) throw rpcFault("unavailable", "there are too many streams");
    streams.set(machine, count + 1);
    all++;
    return () => {
      all--;
      const left = streams.get(machine)! - 1;
      if (left === 0) streams.delete(machine);
      else streams.set(machine, left);
    };
  }

  async function begin(incoming: Incoming): Promise<Outgoing> {
    const address = moveAddress(incoming.headers[WHO] ?? "", virtual, network);
    const machine = address === undefined ? undefined : nameAt(address);
    if (machine === undefined) throw rpcFault("permission_denied", `${WHO} is nobody's address: provision first`);
    if (!tunnel.isUp) throw rpcFault("unavailable", "the tunnel does not end here now: try again");
    const { pieces } = incoming;
    if (pieces === undefined) throw rpcFault("unimplemented", "this connection has no streams");
    const leave = enter(machine);
    let sink: Sink | undefined;
    let socket: UdpSocket;
    try {
      socket = await openUdp({ family: 4, host: LOOPBACK, port: 0 }, ({ bytes }) => {
        // As on any network: what does not fit is lost, and what was in it sends it again.
        if (sink !== undefined && !sink.full) sink.write(Buffer.from(enveloped(packet(bytes))));
      });
    } catch (error) {
      leave();
      throw error;
    }
    const pump = async (): Promise<void> => {
      for await (const message of messagesOf(pieces.call(incoming), LONGEST)) {
        await socket.send(packetOf(message), { address: LOOPBACK, port: wireguardPort }).catch(() => {});
      }
    };
    const run = async (): Promise<void> => {
      let fault: Fault | undefined;
      try {
        await pump();
      } catch (error) {
        fault = Fault.from(error);
      }
      await socket.close();
      leave();
      if (!incoming.signal.aborted && fault !== undefined)
        log.debug("a stream of WireGuard has ended", { machine, because: fault });
      sink?.end(trailersOf(fault));
    };
    const cut = (): void => void socket.close();
    incoming.signal.addEventListener("abort", cut, { once: true });
    return {
      status: 200,
      headers: { "content-type": "application/grpc" },
      body: {
        open(opened) {
          sink = opened;
          void run();
        },
      },
      settled: (complete) => {
        if (sink === undefined && !complete) {
          void socket.close();
          leave();
        }
      },
    };
  }

  return (incoming) => begin(incoming).catch((error: unknown) => refusal(Fault.from(error)));
}

/** What is in a message of the stream. Throws Fault `link.refused` for what is none. */
export function packetOf(message: Uint8Array): Uint8Array {
  try {
    return fromBinary(PeerPacketSchema, message).Data;
  } catch (error) {
    throw rpcFault("invalid_argument", `no PeerPacket: ${Fault.from(error).message}`);
  }
}

function packet(bytes: Uint8Array): Uint8Array {
  return toBinary(PeerPacketSchema, create(PeerPacketSchema, { Data: bytes }));
}
