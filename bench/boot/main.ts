/**
 * `node bench/boot/main.ts [tftp|assets|decisions|dhcp]…`: network boot, ours and others side by side, one JSON object a line; ../README.md
 * says how. Needs root.
 */
import { benchDhcp } from "./dhcp.ts";
import { benchAssets, benchDecisions } from "./http.ts";
import { bringPeers, makePlace } from "./place.ts";
import { startSidero } from "./sidero.ts";
import { benchTftp } from "./tftp.ts";

const BENCHES = { tftp: benchTftp, assets: benchAssets, decisions: benchDecisions, dhcp: benchDhcp };

const peers = bringPeers();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
const place = makePlace(peers, process.env["SCALE"] === "small");
const chosen = process.argv.slice(2);
const sidero = await startSidero(place);
for (const [name, bench] of Object.entries(BENCHES)) {
  if (chosen.length === 0 || chosen.includes(name)) await bench(place, sidero);
}
await sidero.close();
