/** The door to UDP on Node's dgram. What dgram cannot ask for, one interface alone, is asked for before it gets the socket. */
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { Fault } from "#std/fault.ts";
import type { OpenUdp, UdpEndpoint, UdpOptions, UdpSocket } from "../udp.ts";
import { LEVEL, NativeSocket, OPTION, OPTION6, openFault, sendFault, socketAddress, TYPE } from "./socket.ts";

/** A rack that is powered on asks all at once. The kernel's limit (`rmem_max`) holds for those who may not pass it. */
const RECEIVE_BUFFER = 4 * 1024 * 1024;

export const openUdp: OpenUdp = async (options, receive) => {
  const { family, host, port, interface: device } = options;
  if (host !== "" && isIP(host) !== family) {
    throw new Fault("io.listen-failed", `cannot open UDP: "${host}" is not an IPv${family} address`, {
      fault: "caller",
      retry: "never",
    });
  }
  const socket = createSocket({
    type: `udp${family}`,
    reuseAddr: options.reuseAddress ?? false,
    ipv6Only: family === 6,
    // Only addresses are sent to; dns.lookup would cost a turn of the loop for each datagram.
    lookup: (address, _, done) => done(null, address, family),
  });
  try {
    await bind(socket, options);
  } catch (error) {
    socket.close();
    const where = `UDP port ${port}${host === "" ? "" : ` of ${host}`}${device === undefined ? "" : ` on ${device}`}`;
    throw openFault(where, error);
  }
  // Says that something could not be received; the socket goes on, and what uses it asks again.
  socket.on("error", () => {});
  socket.on("message", (bytes, from) => {
    receive({
      bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
      from: { address: withoutZone(from.address), port: from.port },
    });
  });
  return handle(socket, options);
};

async function bind(socket: Socket, options: UdpOptions): Promise<void> {
  const { family, host, port, interface: device } = options;
  const bound = new Promise<void>((resolve, reject) => {
    socket.once("listening", resolve);
    socket.once("error", reject);
  });
  if (device === undefined) {
    socket.bind({ port, ...(host === "" ? {} : { address: host }) });
  } else {
    const native = openNative(options, device);
    try {
      socket.bind({ fd: native.fd });
    } catch (error) {
      native.close();
      throw error;
    }
  }
  await bound;
  socket.removeAllListeners("error");
  if (options.broadcast === true) socket.setBroadcast(true);
  if (device === undefined) socket.setRecvBufferSize(RECEIVE_BUFFER);
  for (const group of options.groups ?? []) {
    socket.addMembership(group, ...(device === undefined ? [] : [family === 6 ? `::%${device}` : addressOf(device)]));
  }
}

/** IPv4 names the interface of a group by an address that it has. */
function addressOf(device: string): string {
  return networkInterfaces()[device]?.find(({ family }) => family === "IPv4")?.address ?? "0.0.0.0";
}

function openNative({ family, host, port, reuseAddress }: UdpOptions, device: string): NativeSocket {
  const native = new NativeSocket(family, TYPE.datagram);
  try {
    native.set(LEVEL.socket, OPTION.bindToDevice, device);
    if (reuseAddress === true) native.set(LEVEL.socket, OPTION.reuseAddress, 1);
    if (family === 6) native.set(LEVEL.ipv6, OPTION6.v6Only, 1);
    if (!native.tryToSet(LEVEL.socket, OPTION.receiveBufferForce, RECEIVE_BUFFER)) {
      native.tryToSet(LEVEL.socket, OPTION.receiveBuffer, RECEIVE_BUFFER);
    }
    native.bind(socketAddress(family, host, port));
    return native;
  } catch (error) {
    native.close();
    throw error;
  }
}

function handle(socket: Socket, { family, interface: device }: UdpOptions): UdpSocket {
  const { address, port } = socket.address();
  let isClosed = false;
  // Link-local addresses mean nothing without their link.
  const zone = family === 6 && device !== undefined ? `%${device}` : "";
  return {
    address,
    port,
    send: (bytes, to) =>
      new Promise((resolve, reject) => {
        const fail = (cause: unknown): void => reject(sendFault(endpointText(to), cause));
        if (isClosed)
          return fail(
            new Fault("io.failed", `cannot send to ${endpointText(to)}: the socket is closed`, {
              fault: "caller",
              retry: "never",
            }),
          );
        const target = zone !== "" && /^f[ef][89a-f0-3]/i.test(to.address) ? to.address + zone : to.address;
        try {
          socket.send(bytes, to.port, target, (error) => (error === null ? resolve() : fail(error)));
        } catch (error) {
          fail(error);
        }
      }),
    close: () => {
      if (isClosed) return Promise.resolve();
      isClosed = true;
      return new Promise((resolve) => void socket.close(() => resolve()));
    },
  };
}

function endpointText({ address, port }: UdpEndpoint): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

function withoutZone(address: string): string {
  const zone = address.indexOf("%");
  return zone < 0 ? address : address.slice(0, zone);
}
