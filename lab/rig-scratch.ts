import { existsSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { bmcOf, describe } from "./description.ts";
import { openSite } from "./site.ts";
import { bring, bringStandIn } from "./peers.ts";
import { inTurn } from "./rack.ts";
import { accept, configureBmc } from "./demo/clean-up.ts";
import { createCluster, offerTalos } from "./cluster.ts";
import { followServers, headline, momentOf, isServerOf } from "./life.ts";
const machines = [1, 2, 3].map((index) =>
  describe(index, {
    bmc: bmcOf(index),
    first: "disk",
    firmware: index === 3 ? "uefi" : "bios",
    disks: [{ model: "virtio-blk-pci", gibibytes: 1, serial: `DISK${index}` }],
  }),
);
const site = await openSite({
  machines,
  dhcp: "server",
  flags: { "auto-bmc-setup": "false", v: "4" },
  ...bring(),
  logs: "/tmp/lt/rig",
});
const t0 = performance.now();
const say = (...a: unknown[]) => console.log(((performance.now() - t0) / 1000).toFixed(1), ...a);
process.once("SIGTERM", () => void site.close().then(() => process.exit(0)));
writeFileSync("/tmp/lt/env", `NS=${site.network.namespace}\nKC=${site.sidero.kubeconfig}\n`);
const last = new Map<string, string>();
let waiters: (() => void)[] = [];
const state = new Map<string, any>();
const follow = () =>
  followServers(site.sidero, (s) => {
    const m = site.machines.find((x) => isServerOf(s, x));
    const t = headline(momentOf(s));
    state.set(s.metadata.name!, s);
    if (last.get(s.metadata.name!) !== t) say(m?.description.name, t);
    last.set(s.metadata.name!, t);
    for (const w of waiters) w();
  });
let w = follow();
const wait = async (m: any, f: (s: any) => boolean) => {
  for (;;) {
    const s = state.get(m.description.uuid);
    if (s && f(s)) return;
    await setTimeout(200);
  }
};
await inTurn(site.machines, async (m) => {
  await m.bootNext("network");
  await m.on();
  await wait(m, (s) => s.status?.phase !== undefined);
  await configureBmc(site.sidero, m, site.bmcs.get(m)!);
  await accept(site.sidero, m);
  await wait(m, (s) => momentOf(s).isAtRest);
});
say("CLEAN");
const files = await offerTalos(site, bringStandIn());
const cluster = await createCluster(site, bring().kubectl, {
  name: "lab",
  workers: 2,
  talosVersion: "v1.13.2",
  disk: "/dev/vda",
});
say("CREATED");
while (!existsSync("/tmp/lt/stop")) {
  await setTimeout(1000);
  if (existsSync("/tmp/lt/restart")) {
    rmSync("/tmp/lt/restart");
    await w.stop();
    await site.sidero.stop();
    await site.restart();
    w = follow();
    say("RESTARTED");
  }
}
await w.stop();
await files.stop();
await site.close();
process.exit(0);
