/**
 * The boot handler as a program of its own, for machines in a network namespace: `http-serve.ts ADDRESS PORT [DISK-METHOD]`. What it sees it
 * writes as lines of JSON. With a method, every machine has a system on its disk; without, there is no agent's image until
 * SIGUSR2, and then one on a disk that is damaged.
 */
import type { DiskMethod } from "#decide/boot/decision.ts";
import type { Blob } from "#io/blobs.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import { inventoryOf, startBoot } from "./http-fixture.ts";

const [address = "127.0.0.1", port = "0", method] = process.argv.slice(2) as [string?, string?, DiskMethod?];

const lastTransitionTime = "2030-01-01T00:00:00Z";
const installed = (name: string): Server => ({
  apiVersion: "metal.sidero.dev/v1alpha2",
  kind: "Server",
  metadata: { name },
  spec: { accepted: true, ...(method === undefined ? {} : { bootFromDiskMethod: method }) },
  status: { conditions: [{ type: "PXEBooted", status: "True", lastTransitionTime, severity: "", reason: "", message: "" }] },
});
const bound = (name: string) => ({
  apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3" as const,
  kind: "ServerBinding" as const,
  metadata: { name },
  spec: { metalMachineRef: { name: "m" } },
});
const inventory = method === undefined ? inventoryOf() : inventoryOf({ server: installed, binding: bound });

const server = await startBoot(
  { inventory, witness: (sighting) => console.log(JSON.stringify(sighting)) },
  address,
  Number(port),
);
server.assets.clear();
process.on("SIGUSR2", () => {
  const damaged: Blob = {
    sha512: "00".repeat(64),
    size: 1_000_000,
    async *read(start, end) {
      if (start > 0) throw new Error("bad sector");
      yield Buffer.alloc(end - start);
    },
  };
  for (const file of ["vmlinuz", "initramfs.xz"]) server.assets.set(`agent-amd64/${file}`, damaged);
});
console.log("serving");
