import assert from "node:assert/strict";
import { test } from "node:test";
import { CONVERSION_DATA } from "#schema/conversion.ts";
import { convert } from "#schema/family.ts";
import type { KubeObject } from "#schema/meta.ts";
import { families } from "./index.ts";

/** Objects of one kind, from the version and body. */
function maker(kind: string) {
  const family = families.find(({ storage }) => storage.kind === kind)!;
  const make = (version: string, body: object, metadata: object = {}): KubeObject => ({
    apiVersion: `${family.storage.group}/${version}`,
    kind,
    metadata: { name: "x", ...metadata },
    ...body,
  });
  return { make, to: (object: KubeObject, version: string) => convert(family, object, version) };
}

test("Server: what v1alpha1 does not know comes back, and its edits stay", () => {
  const { make, to } = maker("Server");
  const processors = [
    { manufacturer: "Intel", productName: "Atom", serialNumber: "1", coreCount: 4 },
    { manufacturer: "Intel", productName: "Atom", serialNumber: "2", coreCount: 4 },
  ];
  const server = make("v1alpha2", {
    spec: {
      accepted: false,
      strategicPatches: ["machine: {}"],
      hardware: {
        system: { uuid: "u", manufacturer: "QEMU" },
        compute: { processorCount: 2, processors },
        memory: { totalSize: "32 GB" },
      },
    },
  });
  const old = to(server, "v1alpha1");
  assert.deepEqual(old["spec"], {
    accepted: false,
    system: { manufacturer: "QEMU" },
    cpu: { manufacturer: "Intel", version: "Atom" },
  });
  old["spec"] = { ...(old["spec"] as object), accepted: true, cpu: { manufacturer: "Intel", version: "Xeon" } };
  assert.deepEqual(
    to(old, "v1alpha2"),
    make("v1alpha2", {
      spec: {
        accepted: true,
        strategicPatches: ["machine: {}"],
        hardware: {
          system: { uuid: "u", manufacturer: "QEMU" },
          compute: { processorCount: 2, processors: [{ ...processors[0], productName: "Xeon" }, processors[1]] },
          memory: { totalSize: "32 GB" },
        },
      },
    }),
  );
});

test("a round trip that loses nothing leaves no annotation", () => {
  const { make, to } = maker("Server");
  const old = to(make("v1alpha2", { spec: { accepted: true, hardware: { system: { manufacturer: "QEMU" } } } }), "v1alpha1");
  assert.deepEqual(old, make("v1alpha1", { spec: { accepted: true, system: { manufacturer: "QEMU" } } }));
});

test("ServerClass: v1alpha1 wanted processor and system, so every pairing becomes an entry", () => {
  const { make, to } = maker("ServerClass");
  const class1 = make("v1alpha1", {
    spec: {
      qualifiers: {
        cpu: [{ manufacturer: "Intel" }, { manufacturer: "AMD", version: "Ryzen" }],
        systemInformation: [{ manufacturer: "Dell" }, { manufacturer: "HPE" }],
        labelSelectors: [{ zone: "east" }],
      },
    },
  });
  const intel = { processors: [{ manufacturer: "Intel" }] };
  const amd = { processors: [{ manufacturer: "AMD", productName: "Ryzen" }] };
  const [dell, hpe] = [{ manufacturer: "Dell" }, { manufacturer: "HPE" }];
  const hub = to(class1, "v1alpha2");
  assert.deepEqual(hub["spec"], {
    qualifiers: {
      hardware: [
        { system: dell, compute: intel },
        { system: dell, compute: amd },
        { system: hpe, compute: intel },
        { system: hpe, compute: amd },
      ],
      labelSelectors: [{ zone: "east" }],
    },
  });
  assert.deepEqual(to(hub, "v1alpha1"), class1);
});

test("ServerClass: entries keep what v1alpha1 cannot say while others are added, removed or changed there", () => {
  const { make, to } = maker("ServerClass");
  const [big, plain] = [
    { system: { manufacturer: "Dell" }, memory: { totalSize: "64 GB" } },
    { system: { manufacturer: "HPE" } },
  ];
  const hub = make("v1alpha2", { spec: { qualifiers: { hardware: [big, plain] } } });
  const edit = (systemInformation: object[]) => {
    const old = to(hub, "v1alpha1");
    return to({ ...old, spec: { qualifiers: { systemInformation } } }, "v1alpha2")["spec"];
  };
  const [dell, hpe, amd] = [{ manufacturer: "Dell" }, { manufacturer: "HPE" }, { manufacturer: "AMI" }];
  const classOf = (...hardware: object[]) => ({ qualifiers: { hardware } });
  assert.deepEqual(edit([dell, hpe, amd]), classOf(big, plain, { system: amd }));
  assert.deepEqual(edit([hpe]), classOf(plain));
  assert.deepEqual(edit([hpe, dell]), classOf(plain, big));
  assert.deepEqual(edit([amd, hpe]), classOf({ system: amd, memory: { totalSize: "64 GB" } }, plain));
});

test("ServerClass: a cross product that would explode is not made", () => {
  const { make, to } = maker("ServerClass");
  const hardware = Array.from({ length: 20_000 }, (_, i) => ({
    system: { serialNumber: `${i}` },
    compute: { processors: [{ productName: `${i}` }] },
  }));
  const hub = make("v1alpha2", { spec: { qualifiers: { hardware } } });
  assert.deepEqual(to(to(hub, "v1alpha1"), "v1alpha2"), hub);
});

test("MetalMachine: the class survives where it has no place, an inline BMC has one in both", () => {
  const { make, to } = maker("MetalMachine");
  const bmc = { endpoint: "10.0.0.1", user: "u", pass: "p" };
  const old = make("v1alpha2", { spec: { bmc }, status: { ready: false, errorReason: "E" } });
  const hub = to(old, "v1alpha3");
  assert.deepEqual([hub["spec"], hub["status"]], [{ bmc }, { ready: false, failureReason: "E" }]);
  hub["spec"] = { serverClassRef: { name: "any" }, providerID: "sidero://u", bmc };
  const back = to(hub, "v1alpha2");
  assert.deepEqual(back["spec"], { providerID: "sidero://u", bmc });
  assert.deepEqual(to(back, "v1alpha3")["spec"], hub["spec"]);
});

test("MetalCluster: the first endpoint, from the spec or else the status", () => {
  const { make, to } = maker("MetalCluster");
  const [a, b] = [
    { host: "a", port: 1 },
    { host: "b", port: 2 },
  ];
  const known = make("v1alpha2", { spec: {}, status: { ready: true, apiEndpoints: [b] } });
  assert.deepEqual(to(known, "v1alpha3")["spec"], { controlPlaneEndpoint: b });
  const several = make("v1alpha2", { spec: { apiEndpoints: [a, b] } });
  const hub = to(several, "v1alpha3");
  assert.deepEqual(hub["spec"], { controlPlaneEndpoint: a });
  assert.deepEqual(to(hub, "v1alpha2"), several);
  const lists = to(make("v1alpha3", { spec: { controlPlaneEndpoint: a }, status: { ready: true } }), "v1alpha2");
  assert.deepEqual([lists["spec"], lists["status"]], [{ apiEndpoints: [a] }, { ready: true, apiEndpoints: [a] }]);
});

test("TalosConfig: join is worker, and comes back as join; the status says the same in other words", () => {
  const { make, to } = maker("TalosConfig");
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const conditions = [{ type: "DataSecretAvailable", status: "False", severity: "Info", lastTransitionTime }];
  const newer = [{ type: "DataSecretAvailable", status: "False", reason: "NotAvailable", message: "", lastTransitionTime }];
  const old = make("v1alpha3", {
    spec: { generateType: "join", talosVersion: "v1.13" },
    status: {
      ready: true,
      dataSecretName: "s",
      talosConfig: "t",
      failureReason: "r",
      conditions,
      v1beta2Status: { conditions: newer },
    },
  });
  const hub = to(old, "v1beta1");
  assert.deepEqual(hub["spec"], { generateType: "worker", talosVersion: "v1.13" });
  assert.deepEqual(hub["status"], {
    initialization: { dataSecretCreated: true },
    dataSecretName: "s",
    conditions: newer,
    deprecated: { v1beta: { conditions, failureReason: "r" } },
  });
  assert.deepEqual(to(hub, "v1alpha3"), old);
  const plain = make("v1beta1", { spec: hub["spec"], status: hub["status"] });
  assert.deepEqual(to(to(plain, "v1alpha2"), "v1beta1"), plain);
});

test("TalosConfig: v1alpha2's given configuration needs no conversion data", () => {
  const { make, to } = maker("TalosConfig");
  const spec = { generateType: "none", data: "version: v1alpha1" };
  assert.deepEqual(to(make("v1alpha2", { spec }), "v1beta1"), make("v1beta1", { spec }));
});

test("the Go project's annotation, a whole object without apiVersion or with it, is understood; rubbish is ignored", () => {
  const { make, to } = maker("Server");
  const spec = { accepted: true, strategicPatches: ["a: 1"] };
  const annotated = (data: string) =>
    make("v1alpha1", { spec: { accepted: true } }, { annotations: { [CONVERSION_DATA]: data } });
  const whole = JSON.stringify(make("v1alpha2", { spec }));
  assert.deepEqual(to(annotated(whole), "v1alpha2"), make("v1alpha2", { spec }));
  assert.deepEqual(to(annotated(JSON.stringify({ spec })), "v1alpha2"), make("v1alpha2", { spec }));
  const rubbish = [
    "{",
    "[]",
    "null",
    "[".repeat(100_000),
    `{"spec":{"accepted":true,"configPatches":3}}`,
    `{"spec":{"hardware":{}}}`,
  ];
  for (const data of [...rubbish, JSON.stringify({ apiVersion: "metal.sidero.dev/v9", spec })]) {
    assert.deepEqual(to(annotated(data), "v1alpha2"), make("v1alpha2", { spec: { accepted: true } }));
  }
});

test("an unknown version is refused", () => {
  const { make, to } = maker("Server");
  assert.throws(() => to(make("v1alpha2", {}), "v9"), { code: "schema.unknown-version" });
});
