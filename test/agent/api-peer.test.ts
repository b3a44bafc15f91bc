/** All five calls of upstream's agent, made by gRPC's C++ implementation with upstream's field numbers written by hand. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { afterEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import { UUID, MAC, startApi } from "./api-fixture.ts";
import type { ApiFixture } from "./api-fixture.ts";

type Field = [number: number, value: string | number | Field[] | { double: number }];
type Answer = [code: string, details: string, response: [number: number, wireType: number, value: string | number][]];

const PYTHON = execFileSync(fileURLToPath(new URL("../../tools/grpc-client.sh", import.meta.url)), { encoding: "utf8" }).trim();
const CLIENT = fileURLToPath(new URL("upstream-agent.py", import.meta.url));

let fixture: ApiFixture;
afterEach(() => fixture.stop());

function call(token: string | undefined, ...calls: [method: string, request: Field[]][]): Promise<Answer[]> {
  const requests = calls.map(([method, request]) => [`/api.Agent/${method}`, request]);
  return new Promise((resolve, reject) => {
    const child = execFile(
      PYTHON,
      [CLIENT, `127.0.0.1:${fixture.port}`, ...(token === undefined ? [] : [token])],
      { timeout: 60_000, env: { ...process.env, no_proxy: "127.0.0.1" } },
      (error, stdout, stderr) => (error ? reject(new Error(stderr, { cause: error })) : resolve(JSON.parse(stdout) as Answer[])),
    );
    child.stdin!.end(JSON.stringify(requests));
  });
}

/** sidero.md §5.1. */
const HARDWARE: Field[] = [
  [
    1,
    [
      [1, UUID],
      [2, "Supermicro"],
      [3, "X11"],
      [5, "S123"],
      [6, "SKU"],
      [7, "Family"],
    ],
  ],
  [
    2,
    [
      [1, 16],
      [2, 32],
      [3, 1],
      [
        4,
        [
          [1, "AMD"],
          [2, "EPYC 7302"],
          [4, 3000],
          [5, 16],
          [6, 32],
        ],
      ],
    ],
  ],
  [
    3,
    [
      [1, 65_536],
      [2, 2],
      [
        3,
        [
          [1, "Samsung"],
          [4, "DDR4"],
          [5, 32_768],
          [6, 3200],
        ],
      ],
      [
        3,
        [
          [1, "Samsung"],
          [5, 32_768],
        ],
      ],
    ],
  ],
  [
    4,
    [
      [1, 1_200_243_695_616],
      [2, 1],
      [
        3,
        [
          [1, 3],
          [2, 1_200_243_695_616],
          [3, "PM983"],
          [4, "N1"],
          [5, "nvme0n1"],
          [6, "/dev/nvme0n1"],
          [8, "eui.1"],
        ],
      ],
    ],
  ],
  [
    5,
    [
      [1, 1],
      [
        2,
        [
          [1, 2],
          [2, "eth0"],
          [3, "up|broadcast|multicast"],
          [4, 1500],
          [5, MAC],
          [6, "10.0.0.5/24"],
          [6, "fe80::1/64"],
        ],
      ],
    ],
  ],
];
const SETUP_BMC = [3, 0, 1] as const;

test("upstream's agent registers where access is open, as it did with upstream's server", async () => {
  fixture = await startApi({ access: "open", settings: { autoAccept: true }, neighbours: { "127.0.0.1": MAC } });
  const answers = await call(
    undefined,
    [
      "CreateServer",
      [
        [1, HARDWARE],
        [3, "node-7"],
      ],
    ],
    [
      "ReconcileServerAddresses",
      [
        [1, UUID],
        [
          2,
          [
            [1, "InternalIP"],
            [2, "10.0.0.5"],
          ],
        ],
      ],
    ],
    [
      "UpdateBMCInfo",
      [
        [1, UUID],
        [
          2,
          [
            [1, "10.1.0.5"],
            [2, 6230],
          ],
        ],
      ],
    ],
    [
      "UpdateBMCInfo",
      [
        [1, UUID],
        [
          2,
          [
            [3, "sidero"],
            [4, "secret"],
          ],
        ],
      ],
    ],
    ["Heartbeat", [[1, UUID]]],
    ["MarkServerAsWiped", [[1, UUID]]],
  );
  assert.deepEqual(
    answers.map(([code]) => code),
    ["OK", "OK", "OK", "OK", "FAILED_PRECONDITION", "FAILED_PRECONDITION"],
  );
  assert.deepEqual(
    answers[0]![2].filter(([number]) => number < 100),
    [SETUP_BMC],
    "no order, no wipe",
  );
  const { spec, status } = await fixture.world.client.for(Server).get(UUID);
  assert.deepEqual([spec?.accepted, spec?.hostname], [true, "node-7"]);
  assert.deepEqual(spec?.hardware, {
    system: {
      uuid: UUID,
      manufacturer: "Supermicro",
      productName: "X11",
      serialNumber: "S123",
      skuNumber: "SKU",
      family: "Family",
    },
    compute: {
      totalCoreCount: 16,
      totalThreadCount: 32,
      processorCount: 1,
      processors: [{ manufacturer: "AMD", productName: "EPYC 7302", speed: 3000, coreCount: 16, threadCount: 32 }],
    },
    memory: {
      totalSize: "64 GB",
      moduleCount: 2,
      modules: [
        { manufacturer: "Samsung", type: "DDR4", size: 32_768, speed: 3200 },
        { manufacturer: "Samsung", size: 32_768, speed: 0 },
      ],
    },
    storage: {
      totalSize: "1117 GB",
      deviceCount: 1,
      devices: [
        {
          type: "NVMe",
          size: 1_200_243_695_616,
          productName: "PM983",
          serialNumber: "N1",
          name: "nvme0n1",
          deviceName: "/dev/nvme0n1",
          wwid: "eui.1",
        },
      ],
    },
    network: {
      interfaceCount: 1,
      interfaces: [
        {
          index: 2,
          name: "eth0",
          flags: "up|broadcast|multicast",
          mtu: 1500,
          mac: MAC,
          addresses: ["10.0.0.5/24", "fe80::1/64"],
        },
      ],
    },
  });
  assert.deepEqual(status?.addresses, [{ type: "InternalIP", address: "10.0.0.5" }]);
  assert.deepEqual(
    [spec?.bmc?.endpoint, spec?.bmc?.port, spec?.bmc?.userFrom?.secretKeyRef?.name],
    ["10.1.0.5", 6230, `${UUID}-bmc`],
  );
});

test("upstream's agent wipes when there is an order, without knowing of orders", async () => {
  fixture = await startApi({ access: "open", settings: { autoAccept: true, autoBmcSetup: false } });
  await call(undefined, ["CreateServer", [[1, HARDWARE]]]);
  const servers = fixture.world.client.for(Server);
  await servers.patch(
    UUID,
    { status: { wipe: { id: "w1", reason: "accepted", by: "acceptance", orderedAt: "2030-01-01T00:00:00Z", state: "ordered" } } },
    { subresource: "status" },
  );
  const answers = await call(
    undefined,
    ["CreateServer", [[1, HARDWARE]]],
    ["Heartbeat", [[1, UUID]]],
    ["MarkServerAsWiped", [[1, UUID]]],
  );
  assert.deepEqual(
    answers.map(([code]) => code),
    ["OK", "OK", "OK"],
  );
  assert.deepEqual(
    answers[0]![2].filter(([number]) => number < 100),
    [
      [1, 0, 1],
      [2, 0, 1],
      [4, 1, 1200],
    ],
  );
  assert.equal((await servers.get(UUID)).status?.wipe?.state, "done");
});

test("where tokens are asked for, it is refused without one and taken with one", async () => {
  fixture = await startApi();
  const [[refused, why]] = (await call(undefined, ["CreateServer", [[1, HARDWARE]]])) as [Answer];
  assert.deepEqual([refused, why], ["UNAUTHENTICATED", "the call carries no boot token"]);
  const [[taken]] = (await call(fixture.token({ uuid: UUID }), ["CreateServer", [[1, HARDWARE]]])) as [Answer];
  assert.equal(taken, "OK");
});
