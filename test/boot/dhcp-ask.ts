/** A machine's firmware as a process, for a network namespace: `dhcp-ask.ts INTERFACE TO PORT HEX…` sends messages and prints every reply as hex. */
import { openUdp } from "#io/node/udp.ts";
import { fromHex, toHex } from "#std/bytes.ts";

const [device, to, port, ...messages] = process.argv.slice(2);
const family = to!.includes(":") ? 6 : 4;
const local = family === 4 ? 68 : 546;
const socket = await openUdp(
  { family, host: "", port: local, interface: device!, broadcast: family === 4, reuseAddress: true },
  ({ bytes, from }) => {
    process.stdout.write(`${from.address} ${toHex(bytes)}\n`);
  },
);
for (const hex of messages) await socket.send(fromHex(hex)!, { address: to!, port: Number(port) });
setTimeout(() => void socket.close(), 1000);
