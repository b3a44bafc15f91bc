/**
 * Prints the script that tools/ipxe-build.sh builds into iPXE: `ipxe-script.ts [ENDPOINT] [PORT]`. Without an endpoint it is whoever DHCP
 * names as next server.
 */
import { endpointOf } from "#boot/http/endpoint.ts";
import { entryScript } from "#boot/http/scripts.ts";
import type { Text } from "#wire/ipxe/script.ts";

const [endpoint = "", portText = ""] = process.argv.slice(2);
const port = Number(portText || 8081);
if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error(`not a port: ${portText}`);
const base: Text =
  endpoint === ""
    ? ["http://", { setting: "next-server" }, `:${port}`]
    : `http://${endpointOf({ headers: {} }, { endpoint, port })}`;
process.stdout.write(entryScript({ base, prompt: 2_000, waitsForLink: true }));
