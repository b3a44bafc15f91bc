/** `node bench/boot/main.ts [tftp]`: network boot, ours and others side by side, one JSON object a line; ../README.md says how. */
import { bringPeers, enterNetwork, makePlace } from "./place.ts";
import { benchTftp } from "./tftp.ts";

const BENCHES = { tftp: benchTftp };

const peers = process.env["SIDERO_BENCH_PEERS"] ?? bringPeers();
process.env["SIDERO_BENCH_PEERS"] = peers;
enterNetwork();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const place = makePlace(peers, process.env["SCALE"] === "small");
const chosen = process.argv.slice(2);
for (const [name, bench] of Object.entries(BENCHES)) {
  if (chosen.length === 0 || chosen.includes(name)) await bench(place);
}
