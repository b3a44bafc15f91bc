/** The tunnel door on Linux: WireGuard driven with `ip` and `wg`. Takes CAP_NET_ADMIN in its network namespace. */
import { noTunnel, type OpenTunnel } from "../tunnel.ts";
import { addDevice } from "./wireguard/device.ts";
import { addGuard, type Guard } from "./wireguard/guard.ts";
import { PeerTable } from "./wireguard/peers.ts";
import { run } from "./wireguard/run.ts";

/** As the kernel wants it, and without what a shell or nft would read as something else. */
const NAME = /^[a-z][-a-z0-9]{0,14}$/;

export const openTunnel: OpenTunnel = async (options) => {
  const { name, address, prefixLength, mtu } = options;
  if (!NAME.test(name)) throw noTunnel(`"${name}" cannot be the name of an interface`);
  const device = await addDevice(name);
  let guard: Guard | undefined;
  const close = async (): Promise<void> => {
    await device.remove();
    await guard?.remove();
  };
  try {
    // Before anything can come through.
    guard = await addGuard(options);
    const peers = new PeerTable(options);
    await peers.set([]);
    await run("ip", ["address", "replace", `${address}/${prefixLength}`, "dev", name, "nodad"]);
    await run("ip", ["link", "set", name, "mtu", String(mtu), "up"]);
    return {
      by: device.by,
      ...(guard.lacks === undefined ? {} : { lacks: guard.lacks }),
      ...(device.lost === undefined ? {} : { lost: device.lost }),
      setPeers: (all) => peers.set(all),
      handshakes: async () => readHandshakes(await run("wg", ["show", name, "latest-handshakes"])),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};

/** Lines of a key and of seconds since 1970, 0 for never, with a tab between them (wg(8)). */
function readHandshakes(text: string): ReadonlyMap<string, number> {
  const pairs = text.split("\n").flatMap((line) => {
    const [key = "", seconds = "0"] = line.split("\t");
    return Number(seconds) > 0 ? [[key, Number(seconds) * 1000] as const] : [];
  });
  return new Map(pairs);
}
