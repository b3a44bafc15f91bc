/**
 * A TFTP server for a namespace: ipxe-serve.ts ADDRESS FOLDER SCRIPT…. Serves the programs of the folder, also below `plain/`, where iPXE
 * gets them, too; a script when it is asked for, each a bit further than the last. Prints a line of JSON for each sighting.
 */
import { loadPrograms } from "#boot/programs.ts";
import { createTftpFiles } from "#boot/tftp/files.ts";
import { createTftp } from "#boot/tftp/server.ts";
import { silent } from "#io/log.ts";
import { systemClock } from "#io/node/clock.ts";
import { disk } from "#io/node/disk.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { openUdp } from "#io/node/udp.ts";

const [host = "", folder = "", ...scripts] = process.argv.slice(2);
const programs = await loadPrograms(disk, [folder], silent);
const PLAIN = "plain/";
const files = createTftpFiles({
  programs: { get: (name) => programs.get(name.startsWith(PLAIN) ? name.slice(PLAIN.length) : name) },
  script: () => `#!ipxe\n${scripts.length > 1 ? scripts.shift() : scripts[0]}\n`,
});
await createTftp({
  openUdp,
  interfaces,
  address: { host, port: 69 },
  files,
  clock: systemClock,
  log: silent,
  witness: ({ what, text }) => console.log(JSON.stringify({ what, text })),
}).start();
console.log("ready");
