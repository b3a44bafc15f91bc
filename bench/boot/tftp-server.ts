/** Our TFTP server alone, as `sidero up` has it: tftp-server.ts ADDRESS PORT NAME FILE. Says "ready" and serves until it is ended. */
import { readFileSync } from "node:fs";
import { silent } from "#io/log.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { openUdp } from "#io/node/udp.ts";
import { createTftp } from "../../src/boot/tftp/server.ts";

const [host = "", port, name, path] = process.argv.slice(2);
const bytes = new Uint8Array(readFileSync(path!));
const server = createTftp({
  openUdp,
  interfaces,
  address: { host, port: Number(port) },
  files: (asked) => (asked === name ? bytes : undefined),
  clock,
  log: silent,
  witness: () => {},
});
await server.start();
console.log("ready");
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit());
