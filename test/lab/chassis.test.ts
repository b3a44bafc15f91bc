/** What OpenIPMI's simulator asks its hook, by its words, on a machine that only remembers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { obey } from "../../lab/bmc/chassis.ts";
import { COMMANDS, lanConfiguration } from "../../lab/bmc/configuration.ts";
import { bmcOf, describe, type BootSource } from "../../lab/description.ts";
import type { Machine } from "../../lab/machine.ts";

function remembering(): { machine: Machine; did: string[] } {
  const did: string[] = [];
  let isOn = false;
  let next: BootSource | undefined;
  const doing =
    (what: string, then?: () => void): (() => Promise<void>) =>
    async () => {
      did.push(what);
      then?.();
    };
  const machine = {
    get isOn() {
      return isOn;
    },
    get next() {
      return next;
    },
    on: doing("on", () => (isOn = true)),
    off: doing("off", () => (isOn = false)),
    press: doing("press"),
    reset: doing("reset"),
    bootNext: async (source: BootSource | undefined) => void (next = source),
  };
  return { machine: machine as Partial<Machine> as Machine, did };
}

test("it gets and sets", async () => {
  const { machine, did } = remembering();
  const ask = (line: string): Promise<string> => obey(machine, { ip_addr: "10.77.0.201" }, line);
  assert.equal(await ask("chassis get power boot"), "power:0\nboot:none");
  assert.equal(await ask("chassis set boot pxe"), "");
  assert.equal(await ask("chassis get boot"), "boot:pxe");
  await ask("chassis set boot default power 1");
  assert.equal(await ask("chassis get power boot"), "power:1\nboot:default");
  for (const line of ["chassis set reset 1", "chassis set shutdown 1", "chassis set power 0"]) await ask(line);
  assert.deepEqual(did, ["on", "reset", "press", "off"]);
  assert.equal(await ask("lan get ip_addr"), "ip_addr:10.77.0.201");
});

test("it refuses what is not there", async () => {
  const { machine } = remembering();
  for (const line of ["chassis set boot cdrom", "chassis get fan", "chassis set fan 1", "lan set ip_addr 1.2.3.4", "", "x get y"])
    await assert.rejects(obey(machine, {}, line), line);
});

test("nobody gets in without a password", () => {
  const text = lanConfiguration(describe(7), bmcOf(7), "/hook /socket");
  assert.match(text, /^ {2}addr 10\.77\.0\.207 623$/m);
  assert.doesNotMatch(text, /\bnone\b|straight/);
  assert.match(text, /^user 1 false/m);
  assert.match(text, /^ {2}guid 07000000545200807040000044454c4c$/m, "IPMI's order is people's backwards");
  assert.match(COMMANDS, /mc_enable 0x20\n$/);
});
