/** `node bench/power/main.ts`: reading the power of many machines by IPMI, ours and ipmitool's; ../README.md says how. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { bringBmcPeers } from "../../test/peers/locate.ts";
import { alone, compare, print } from "../report.ts";
import { ipmitool } from "./ipmitool.ts";
import type { Sweep } from "./place.ts";

const isSmall = process.env["SCALE"] === "small";
const COUNT = isSmall ? 100 : 1000;
const DEAD = COUNT / 50;
const SAMPLE = isSmall ? 10 : 100;
const ROUNDS = isSmall ? 1 : 3;
const PERIODS = isSmall ? 1 : 2;
const RACES = isSmall ? 2 : 9;

bringBmcPeers();
const children = new Set<ReturnType<typeof spawn>>();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
process.on("exit", () => children.forEach((child) => child.kill()));

const all = await serve(0);
const some = await serve(DEAD);
const [sweeps, theirs]: [Sweep[], number[]] = [[], []];
for (let round = 0; round < ROUNDS; round++) {
  sweeps.push(await sweep(all, 0, PERIODS));
  theirs.push((SAMPLE / ipmitool(all.slice(0, SAMPLE))) * 1000);
}
const ours = sweeps.map(({ reads, cpu }) => (reads / cpu) * 1000);
print(compare(`power of ${COUNT} BMCs read, by CPU time`, "BMCs/s", ours, theirs, `ipmitool (${SAMPLE} runs)`));

const [well, ill]: [number[], number[]] = [[], []];
const race = {
  well: async () => void well.push((await sweep(all, 0, 0)).until / 1000),
  ill: async () => void ill.push((await sweep(some, DEAD, 0)).until / 1000),
};
for (let round = 0; round < RACES; round++) {
  for (const who of round % 2 === 0 ? (["well", "ill"] as const) : (["ill", "well"] as const)) await race[who]();
}
print(alone(`power of ${COUNT} BMCs read for the first time`, "s", well));
const name = `the same with ${DEAD} BMCs that never answer, until the others are read`;
print(compare(name, "s", ill, well, "ours, all answer"));
process.exit(0);

/** Ports of simulated BMCs in a process of their own. */
async function serve(dead: number): Promise<number[]> {
  const child = start(["bmcs.ts", String(COUNT), String(dead)]);
  for await (const line of createInterface(child.stdout!)) return JSON.parse(line) as number[];
  throw new Error("the simulated BMCs have ended");
}

async function sweep(ports: readonly number[], dead: number, periods: number): Promise<Sweep> {
  const child = start(["sweeper.ts", JSON.stringify(ports), String(dead), String(periods)]);
  for await (const line of createInterface(child.stdout!)) return JSON.parse(line) as Sweep;
  throw new Error("the sweep has failed");
}

function start([file, ...rest]: [string, ...string[]]): ReturnType<typeof spawn> {
  const path = new URL(file, import.meta.url).pathname;
  const child = spawn(process.execPath, [path, ...rest], { stdio: ["ignore", "pipe", "inherit"] });
  children.add(child.once("exit", () => children.delete(child)));
  return child;
}
