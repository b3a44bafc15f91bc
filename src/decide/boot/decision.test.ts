import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Environment } from "#kinds/metal/v1alpha2/environment.ts";
import type { ServerClass } from "#kinds/metal/v1alpha2/server-class.ts";
import type { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Asker, Inventory } from "./asker.ts";
import { type BootDecision, decideBoot, withoutAsset } from "./decision.ts";

const UUID = "4c4c4544-0042-3510-8054-b4c04f333732";
const MAC = "52:54:00:00:00:01";
const defaults = {
  diskMethod: "ipxe-exit",
  digest: (text: string) => createHash("sha256").update(text).digest("hex"),
} as const;
const asker: Asker = { uuid: UUID, mac: MAC, architecture: "amd64", address: "10.0.0.7" };

interface World {
  readonly server?: Partial<NonNullable<Server["spec"]>> & {
    readonly pxeBooted?: "True" | "False" | "Unknown";
    readonly isClean?: boolean;
    readonly phase?: "Discovered" | "Held" | "Failed";
    readonly order?: NonNullable<NonNullable<Server["status"]>["wipe"]>["state"];
  };
  readonly serverName?: string;
  readonly binding?: { readonly class?: string };
  readonly classes?: Readonly<Record<string, ServerClass["spec"]>>;
  /** "amd64", "both", or unready. */
  readonly environments?: Readonly<Record<string, "amd64" | "both" | "unready">>;
  readonly isComplete?: boolean;
}

const hardware = { system: { uuid: UUID }, network: { interfaces: [{ mac: MAC }] } };

function environmentOf(name: string, how: "amd64" | "both" | "unready"): Environment {
  const asset = (file: string) => ({ url: `http://assets/${name}/${file}` });
  const conditions = ["k", "i", "ka", "ia"].map((file) => ({
    type: "Ready" as const,
    status: how === "unready" ? "False" : "True",
    url: asset(file).url,
    sha512: "ab",
    message: "half of it is there",
  }));
  return {
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Environment",
    metadata: { name },
    spec: {
      kernel: { ...asset("k"), args: ["quiet"] },
      initrd: asset("i"),
      ...(how === "both" ? { arm64: { kernel: asset("ka"), initrd: asset("ia") } } : {}),
    },
    status: { conditions },
  };
}

function inventoryOf(world: World): Inventory {
  const { pxeBooted, isClean, phase, order, ...spec } = world.server ?? {};
  const wipe = order && { id: "w1", reason: "r", by: "acceptance" as const, orderedAt: "2030-01-01T00:00:00Z", state: order };
  const name = world.serverName ?? UUID;
  const now = "2030-01-01T00:00:00Z";
  const conditions =
    pxeBooted === undefined
      ? []
      : [{ type: "PXEBooted", status: pxeBooted, lastTransitionTime: now, severity: "", reason: "", message: "" }];
  const server: Server | undefined =
    world.server === undefined
      ? undefined
      : {
          apiVersion: "metal.sidero.dev/v1alpha2",
          kind: "Server",
          metadata: { name },
          spec: { hardware, ...spec, accepted: spec.accepted ?? true },
          status: {
            conditions,
            ...(isClean !== undefined && { isClean }),
            ...(phase && { phase }),
            ...(wipe && { wipe }),
          },
        };
  const binding: ServerBinding | undefined =
    world.binding === undefined
      ? undefined
      : {
          apiVersion: "infrastructure.cluster.x-k8s.io/v1alpha3",
          kind: "ServerBinding",
          metadata: { name },
          spec: {
            metalMachineRef: { name: "m" },
            ...(world.binding.class === undefined ? {} : { serverClassRef: { name: world.binding.class } }),
          },
        };
  return {
    isComplete: world.isComplete ?? true,
    server: (asked) => (asked === name ? server : undefined),
    serversByMac: (mac) => (mac === MAC && server !== undefined ? [server] : []),
    binding: (asked) => (asked === name ? binding : undefined),
    serverClass(asked) {
      const found = world.classes?.[asked];
      return found && { apiVersion: "metal.sidero.dev/v1alpha2", kind: "ServerClass", metadata: { name: asked }, spec: found };
    },
    environment(asked) {
      const how = world.environments?.[asked];
      return how && environmentOf(asked, how);
    },
  };
}

/** What is decided, in a few words. */
function short(decision: BootDecision): string {
  switch (decision.do) {
    case "agent":
      return decision.environment;
    case "environment":
      return `environment ${decision.environment.metadata.name} ${decision.architecture}`;
    case "disk":
      return `disk ${decision.method}`;
    case "wait":
      return `wait: ${decision.waitingFor}`;
    case "refuse":
      return "refuse";
  }
}

const all = { default: "both", special: "both", classy: "both" } as const;
const bound = { binding: {} };
const installed = { pxeBooted: "True" } as const;

const TABLE: readonly (readonly [what: string, world: World, expected: string, asker?: Partial<Asker>])[] = [
  ["a stranger registers", {}, "agent-amd64"],
  ["a stranger of another architecture", {}, "agent-arm64", { architecture: "arm64" }],
  ["a stranger without UUID", {}, "agent-amd64", { uuid: undefined as never }],
  ["nobody at all", {}, "refuse", { uuid: undefined as never, mac: undefined as never }],
  ["a placeholder without MAC", {}, "refuse", { uuid: "00000000-0000-0000-0000-000000000000", mac: undefined as never }],
  ["before the caches are full", { isComplete: false }, "wait: Sidero to have read its Servers"],
  ["known, not accepted", { server: { accepted: false } }, "agent-amd64"],
  ["clean and idle", { server: { isClean: true } }, "agent-amd64"],
  ["accepted a moment ago", { server: { phase: "Discovered" } }, "agent-amd64"],
  ["to be wiped", { server: { order: "ordered", ...installed } }, "agent-amd64"],
  ["not wiped so far", { server: { order: "failed", phase: "Failed" } }, "agent-amd64"],
  ["accepted, and nobody knows what is on its disks", { server: {} }, "disk ipxe-exit"],
  ["the same by its own method", { server: { phase: "Held", bootFromDiskMethod: "ipxe-sanboot" } }, "disk ipxe-sanboot"],
  ["the same, its order withdrawn", { server: { order: "withdrawn", phase: "Held" } }, "disk ipxe-exit"],
  ["the same, wiped long ago", { server: { order: "done", phase: "Held" } }, "disk ipxe-exit"],
  ["accepted in advance, never seen", { server: { hardware: undefined as never } }, "agent-amd64"],
  ["released, but the release is not on record yet", { server: installed }, "disk ipxe-exit"],
  ["adopted", { server: { adopt: true } }, "disk ipxe-exit"],
  ["adopted, not accepted yet", { server: { adopt: true, accepted: false } }, "disk ipxe-exit"],
  ["adopted and allocated", { server: { adopt: true, pxeBootAlways: true }, ...bound, environments: all }, "disk ipxe-exit"],
  ["allocated", { server: {}, ...bound, environments: all }, "environment default amd64"],
  ["allocated, not accepted", { server: { accepted: false }, ...bound, environments: all }, "agent-amd64"],
  ["installed", { server: installed, ...bound, environments: all }, "disk ipxe-exit"],
  ["installed, then disowned", { server: { ...installed, accepted: false }, ...bound }, "disk ipxe-exit"],
  ["installed, nobody knows", { server: { pxeBooted: "Unknown" }, ...bound, environments: all }, "disk ipxe-exit"],
  ["installed no longer", { server: { pxeBooted: "False" }, ...bound, environments: all }, "environment default amd64"],
  [
    "always by network",
    { server: { ...installed, pxeBootAlways: true }, ...bound, environments: all },
    "environment default amd64",
  ],
  [
    "the Server's method before the class's",
    {
      server: { ...installed, bootFromDiskMethod: "http-404" },
      binding: { class: "c" },
      classes: { c: { bootFromDiskMethod: "ipxe-sanboot" } },
    },
    "disk http-404",
  ],
  [
    "the class's method",
    { server: installed, binding: { class: "c" }, classes: { c: { bootFromDiskMethod: "ipxe-sanboot" } } },
    "disk ipxe-sanboot",
  ],
  ["an empty method", { server: { ...installed, bootFromDiskMethod: "" }, ...bound }, "disk ipxe-exit"],
  [
    "the Server's Environment before the class's",
    {
      server: { environmentRef: { name: "special" } },
      binding: { class: "c" },
      classes: { c: { environmentRef: { name: "classy" } } },
      environments: all,
    },
    "environment special amd64",
  ],
  [
    "the class's Environment",
    { server: {}, binding: { class: "c" }, classes: { c: { environmentRef: { name: "classy" } } }, environments: all },
    "environment classy amd64",
  ],
  [
    "a class without one",
    { server: {}, binding: { class: "c" }, classes: { c: {} }, environments: all },
    "environment default amd64",
  ],
  ["a class that is gone", { server: {}, binding: { class: "c" }, environments: all }, 'wait: there is no ServerClass "c"'],
  [
    "a class that is not asked",
    { server: { environmentRef: { name: "special" } }, binding: { class: "c" }, environments: all },
    "environment special amd64",
  ],
  ["no default", { server: {}, ...bound }, 'wait: there is no Environment "default", the one used when none is named'],
  [
    "an Environment that is gone",
    { server: { environmentRef: { name: "x" } }, ...bound, environments: all },
    'wait: there is no Environment "x", the one its Server names',
  ],
  [
    "an Environment that is not ready",
    { server: {}, ...bound, environments: { default: "unready" } },
    'wait: environment "default" is not ready: vmlinuz: half of it is there',
  ],
  ["arm64", { server: {}, ...bound, environments: all }, "environment default arm64", { architecture: "arm64" }],
  [
    "an Environment that is not for arm64",
    { server: {}, ...bound, environments: { default: "amd64" } },
    'wait: environment "default" has nothing for arm64 machines (spec.arm64 is not set)',
    { architecture: "arm64" },
  ],
];

for (const [what, world, expected, changes = {}] of TABLE) {
  test(`${what}: ${expected}`, () => {
    const decision = decideBoot({ ...asker, ...changes }, inventoryOf(world), defaults);
    assert.equal(short(decision), expected);
    assert.match(decision.because, /^\w.{10,}[^.]$/);
  });
}

test("a machine with a placeholder UUID is the Server that was named for it, and the reason says so", () => {
  const uuid = "03000200-0400-0500-0006-000700080009";
  const stranger = decideBoot({ ...asker, uuid }, inventoryOf({}), defaults);
  assert.ok(stranger.machine !== undefined && stranger.machine !== uuid);
  assert.match(stranger.because, /placeholder/);
  const placeholder = { system: { uuid }, network: { interfaces: [{ mac: MAC }] } };
  const world = { server: { hardware: placeholder }, serverName: stranger.machine, ...bound, environments: all };
  const known = decideBoot({ ...asker, uuid }, inventoryOf(world), defaults);
  assert.deepEqual([known.do, known.machine], ["environment", stranger.machine]);
});

test("a file that is not on disk is waited for, whatever the status says", () => {
  const agent = decideBoot(asker, inventoryOf({}), defaults);
  const os = decideBoot(asker, inventoryOf({ server: {}, ...bound, environments: all }), defaults);
  assert.ok(agent.do === "agent" && os.do === "environment");
  assert.match(withoutAsset(agent, "vmlinuz").waitingFor, /^the agent's vmlinuz-amd64 is not there/);
  assert.equal(withoutAsset(os, "vmlinuz").waitingFor, 'vmlinuz of Environment "default" for amd64 is not on disk');
});

const worlds: fc.Arbitrary<World> = fc.record(
  {
    server: fc.record(
      {
        accepted: fc.boolean(),
        pxeBootAlways: fc.boolean(),
        pxeBooted: fc.constantFrom("True", "False", "Unknown"),
        adopt: fc.boolean(),
        isClean: fc.boolean(),
        phase: fc.constantFrom("Discovered", "Held", "Failed"),
        order: fc.constantFrom("ordered", "started", "done", "failed", "withdrawn"),
        bootFromDiskMethod: fc.constantFrom("", "ipxe-exit", "http-404", "ipxe-sanboot"),
        environmentRef: fc.constantFrom({ name: "special" }, { name: "gone" }, { name: "" }, {}),
      },
      { requiredKeys: [] },
    ),
    binding: fc.constantFrom({}, { class: "c" }, { class: "gone" }),
    classes: fc.constantFrom({ c: {} }, { c: { environmentRef: { name: "classy" } } }),
    environments: fc.dictionary(fc.constantFrom("default", "special", "classy"), fc.constantFrom("amd64", "both", "unready")),
    isComplete: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<World>;

test("whatever is the case: nothing is installed on a machine that is not accepted and allocated, nor again on one that has a system", () => {
  const askers = fc.record({ architecture: fc.constantFrom("amd64", "arm64"), uuid: fc.constantFrom(UUID, undefined) });
  fc.assert(
    fc.property(worlds, askers, (world, changes) => {
      const decision = decideBoot({ ...asker, ...changes } as Asker, inventoryOf(world), defaults);
      assert.notEqual(decision.because, "");
      if (world.isComplete === false) assert.equal(decision.do, "wait");
      if (decision.do === "environment") {
        assert.ok(world.server !== undefined && world.server.accepted !== false && world.binding !== undefined);
        assert.ok(world.server.pxeBootAlways === true || !["True", "Unknown"].includes(world.server.pxeBooted ?? ""));
        assert.notEqual(world.environments?.[decision.environment.metadata.name!], "unready");
        assert.equal(decision.architecture, changes.architecture);
      }
      const { adopt, isClean, phase, order, pxeBooted, accepted } = world.server ?? {};
      if (decision.do === "disk" && adopt !== true) {
        if (world.binding === undefined) assert.ok(accepted !== false && isClean !== true && phase !== "Discovered");
        else assert.notEqual(pxeBooted, undefined);
      }
      if (decision.do === "agent" && decision.machine === UUID && world.server !== undefined && world.binding === undefined) {
        assert.notEqual(adopt, true, "what is adopted goes on");
        const isKnown =
          accepted === false || isClean === true || phase === "Discovered" || ["ordered", "started", "failed"].includes(order!);
        assert.ok(isKnown, "who knows what would be stopped");
      }
      if (decision.do === "wait") assert.ok(decision.retry >= 1000 && decision.waitingFor !== "");
    }),
    { numRuns: 2000 },
  );
});
