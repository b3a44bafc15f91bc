/** `sidero bmc` and `sidero console` by IPMI over a socket, as people call them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock as clock } from "#io/node/clock.ts";
import { systemCrypto as crypto } from "#io/node/crypto.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { openUdp } from "#io/node/udp.ts";
import { serveIpmi } from "../../sim/bmc/ipmi/serve.ts";
import { SIDERO } from "../peers/locate.ts";
import { waitFor } from "../peers/process.ts";
import { access, ask, run, temporary, up } from "./sidero.ts";

const PATIENCE = 60_000;

/** A machine whose serial port says what it was told, in capitals. */
function shouting() {
  const listeners = new Set<(bytes: Uint8Array) => void>();
  const say = (text: string): void => listeners.forEach((listen) => listen(new TextEncoder().encode(text)));
  return {
    isOn: () => true,
    control: () => {},
    serial: {
      write: (bytes: Uint8Array) => say(new TextDecoder().decode(bytes).toUpperCase()),
      listen(listen: (bytes: Uint8Array) => void) {
        listeners.add(listen);
        return () => void listeners.delete(listen);
      },
    },
  };
}

test("a machine's BMC and its console on the command line", async (context) => {
  const guid = entropy.bytes(16);
  const users = [{ name: "admin", password: "correct-horse" }];
  const product = { manufacturer: "Maker", name: "Machine 9", serial: "SN-9" };
  const options = { openUdp, host: "127.0.0.1", port: 0, clock, crypto, entropy, chassis: shouting(), guid, users, product };
  const served = await serveIpmi(options);
  context.after(() => served.close());
  // Nothing of Sidero but its API: the commands reach the BMC themselves.
  const sidero = await up(context, join(await temporary(context), "data"));
  const bmc = { endpoint: "127.0.0.1", port: served.port, user: "admin", pass: "correct-horse" };
  const server = {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Server",
    metadata: { name: "m1" },
    spec: { accepted: true, bmc },
  };
  const created = await ask(await access(sidero), "/apis/metal.sidero.dev/v1alpha2/servers", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify(server)),
  });
  assert.equal(created.status, 201, created.text);

  const shown = await run(["bmc", "m1", "--kubeconfig", sidero.kubeconfig]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /BMC +ipmi:\/\/127\.0\.0\.1:\d+\n +power +on\n +machine +Maker, Machine 9, serial SN-9\n/);
  assert.match(shown.stdout, /serial console/);
  assert.match(shown.stdout, /°C +ok/);
  assert.equal(served.bmc.sessions.open.size, 0, "its session was ended");

  const child = spawn(SIDERO, ["console", "m1", "--kubeconfig", sidero.kubeconfig]);
  context.after(() => child.kill("SIGKILL"));
  let screen = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (said: Buffer) => (screen += said.toString()));
  const ended = once(child, "close");
  const seen = (text: string): Promise<true> =>
    waitFor(sidero.child, text, PATIENCE, () => (screen.includes(text) ? (true as const) : undefined));
  await seen("console of m1");
  child.stdin.write("hello there\r");
  await seen("HELLO THERE");
  child.stdin.write("~.");
  assert.deepEqual(await ended, [0, null], screen);
  assert.match(screen, /\[console closed\]/);
  assert.equal(served.bmc.sessions.open.size, 0);
});
