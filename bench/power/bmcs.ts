/** `node bmcs.ts COUNT DEAD`: simulated BMCs on UDP ports of 127.0.0.1, DEAD of them silent. Prints the ports as JSON, and serves until it is ended. */
import { systemClock as clock } from "#io/node/clock.ts";
import { systemCrypto as crypto } from "#io/node/crypto.ts";
import { systemEntropy as entropy } from "#io/node/entropy.ts";
import { openUdp } from "#io/node/udp.ts";
import { serveIpmi } from "../../sim/bmc/ipmi/serve.ts";
import { HOST, isDead, PASSWORD, USER } from "./place.ts";

const [count, dead] = process.argv.slice(2).map(Number) as [number, number];
const ports: number[] = [];
for (let i = 0; i < count; i++) {
  if (isDead(i, count, dead)) {
    // A port that is bound and does not answer: without a socket the kernel would say at once that nobody is there.
    const { port } = await openUdp({ family: 4, host: HOST, port: 0 }, () => {});
    ports.push(port);
    continue;
  }
  let isOn = i % 2 === 0;
  const chassis = { isOn: () => isOn, control: (action: string) => void (isOn = action !== "off" && action !== "soft-off") };
  const guid = entropy.bytes(16);
  const users = [{ name: USER, password: PASSWORD }];
  ports.push((await serveIpmi({ openUdp, host: HOST, port: 0, clock, crypto, entropy, chassis, guid, users })).port);
}
console.log(JSON.stringify(ports));
