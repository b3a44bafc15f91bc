/** `node sweeper.ts PORTS DEAD PERIODS`: the fleet as `sidero up` has it, but for its period, on BMCs at these ports. Prints a {@link Sweep}. */
import { createDrivers } from "#bmc/drivers.ts";
import { createFleet } from "#bmc/fleet.ts";
import { silent } from "#io/log.ts";
import { systemClock as clock } from "#io/node/clock.ts";
import { systemCrypto as crypto } from "#io/node/crypto.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { openHttp } from "#io/node/http-client.ts";
import { interfaces } from "#io/node/interfaces.ts";
import { systemResolve as resolve } from "#io/node/resolve.ts";
import { openUdp } from "#io/node/udp.ts";
import { sleep } from "#io/clock.ts";
import { HOST, isDead, PASSWORD, PERIOD, USER } from "./place.ts";
import type { Sweep } from "./place.ts";

const [given = "[]", dead = "0", periods = "1"] = process.argv.slice(2);
const ports = JSON.parse(given) as number[];
let reads = 0;
const metrics = {
  counter: () => ({
    add: (labels: Readonly<Record<string, string>>) => {
      if (labels["call"] === "power" && labels["result"] === "ok") reads++;
    },
  }),
  gauge: () => ({ set: () => {} }),
  histogram: () => ({ observe: () => {} }),
};
const never = Number.MAX_SAFE_INTEGER;
const fleet = createFleet({
  makeBmc: createDrivers({ openUdp, openHttp, resolve, crypto, clock, entropy, log: silent }),
  readSecret: async () => PASSWORD,
  openUdp,
  interfaces,
  clock,
  entropy,
  log: silent,
  metrics,
  witness: () => {},
  settings: { rest: PERIOD, soon: PERIOD, idle: 0, health: never, identity: never },
});
// A pending timer does not keep a process alive, nor does a socket that waits.
const staying = setInterval(() => {}, 2 ** 30);

const open = new Set(
  ports
    .keys()
    .filter((i) => !isDead(i, ports.length, Number(dead)))
    .map((i) => `m${i}`),
);
const living = open.size;
const { promise, resolve: done } = Promise.withResolvers<void>();
fleet.onChange((machine) => {
  if (fleet.facts(machine).power !== "unknown") open.delete(machine);
  if (open.size === 0) done();
});
const began = performance.now();
for (const [i, port] of ports.entries()) {
  const bmc = {
    endpoint: HOST,
    port,
    user: USER,
    passFrom: { secretKeyRef: { namespace: "bench", name: `m${i}`, key: "pass" } },
  };
  fleet.follow(
    { apiVersion: "metal.sidero.dev/v1alpha2", kind: "Server", metadata: { name: `m${i}` }, spec: { accepted: true, bmc } },
    "",
  );
}
await promise;
const until = performance.now() - began;
// What they are has been read as well by then, and the code is compiled.
if (Number(periods) > 0) await sleep(clock, 2 * PERIOD);
reads = 0;
const before = process.cpuUsage();
await sleep(clock, Number(periods) * PERIOD);
const { user, system } = process.cpuUsage(before);
const sweep: Sweep = { until, cpu: (user + system) / 1000, reads };
if (reads < living * Number(periods) * 0.9) throw new Error(`${reads} readings of ${living} machines in ${periods} periods`);
await fleet.close();
clearInterval(staying);
console.log(JSON.stringify(sweep));
