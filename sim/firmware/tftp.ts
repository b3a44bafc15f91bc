/** A file by TFTP, as a boot ROM fetches it. */
import { concat } from "#std/bytes.ts";
import { decode } from "#wire/tftp/decode.ts";
import { Receiver } from "#wire/tftp/receiver.ts";
import type { ReceiverTurn } from "#wire/tftp/receiver.ts";
import type { Timer } from "#io/clock.ts";
import type { Life } from "../machine/life.ts";
import type { Lease, Nic } from "./dhcp.ts";

const PORT = 69;

/** Undefined when it did not come; what was said of it is in the server's records. */
export async function fetchByTftp(
  nic: Nic,
  { address, server }: Lease,
  file: string,
  life: Life,
): Promise<Uint8Array | undefined> {
  const receiver = new Receiver(file, { blockSize: 1468, windowSize: 4, size: true });
  const pieces: Uint8Array[] = [];
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>();
  let timer: Timer | undefined;
  let port = PORT;
  const follow = ({ send, wakeAt, state, received }: ReceiverTurn): void => {
    pieces.push(...received);
    for (const bytes of send) void socket.send(bytes, { address: server, port }).catch(() => undefined);
    timer?.cancel();
    if (state.kind === "running" && wakeAt !== undefined) {
      timer = life.after(wakeAt - life.monotonic(), () => follow(receiver.onTime(life.monotonic())));
    } else if (state.kind !== "running") resolve(state.kind === "done" ? concat(pieces) : undefined);
  };
  const socket = await nic.host.openUdp({ family: 4, host: address, port: 0 }, ({ bytes, from }) => {
    if (!life.alive || from.address !== server) return;
    // The server may go on from a port of its own (RFC 1350 §4).
    port = from.port;
    follow(receiver.onPacket(decode(bytes), life.monotonic()));
  });
  const forget = life.onEnd(() => void socket.close());
  follow(receiver.start(life.monotonic()));
  try {
    return await life.live(promise);
  } finally {
    forget();
    await socket.close();
  }
}
