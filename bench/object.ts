/** The object of all measurements: a Server as the agent registers one, about 4 KB of JSON. */

const DIMMS = 16;
const DISKS = 4;
const PORTS = 4;

export const SERVERS = "/apis/metal.sidero.dev/v1alpha2/servers";

export function nameOf(index: number): string {
  return `server-${String(index).padStart(5, "0")}`;
}

/** As a client would send it to create it; `index` also tells its hardware apart. */
export function serverText(index: number): string {
  const serial = index.toString(16).padStart(6, "0");
  return JSON.stringify({
    apiVersion: "metal.sidero.dev/v1alpha2",
    kind: "Server",
    metadata: { name: nameOf(index), labels: { zone: `zone-${index % 5}`, rack: `rack-${index % 40}` } },
    spec: {
      accepted: true,
      hostname: nameOf(index),
      bmc: { endpoint: `10.1.${(index >> 8) & 255}.${index & 255}`, user: "sidero", port: 623 },
      hardware: {
        system: { uuid: `4c4c4544-0000-1000-8000-${serial}000000`, manufacturer: "Dell Inc.", productName: "PowerEdge R650" },
        compute: {
          totalCoreCount: 64,
          totalThreadCount: 128,
          processorCount: 2,
          processors: list(2, () => ({ manufacturer: "Intel(R) Corporation", productName: "Xeon(R) Gold 6338", coreCount: 32 })),
        },
        memory: {
          totalSize: "512 GB",
          moduleCount: DIMMS,
          modules: list(DIMMS, (slot) => ({
            manufacturer: "Samsung",
            productName: "M393A4K40DB3-CWE",
            serialNumber: `03F4${serial}${slot}`,
            type: "DDR4",
            size: 32_768,
            speed: 3200,
          })),
        },
        storage: {
          totalSize: "7680 GB",
          deviceCount: DISKS,
          devices: list(DISKS, (slot) => ({
            type: "NVMe",
            size: 1_920_383_410_176,
            productName: "Dell Ent NVMe P5600 MU U.2 1.6TB",
            serialNumber: `PHAB${serial}${slot}`,
            name: `nvme${slot}n1`,
            deviceName: `/dev/nvme${slot}n1`,
            wwid: `eui.0100000000${serial}${slot}`,
          })),
        },
        network: {
          interfaceCount: PORTS,
          interfaces: list(PORTS, (port) => ({
            index: port,
            name: `eth${port}`,
            flags: "up|broadcast|multicast",
            mtu: 1500,
            mac: `b4:96:91:${serial.slice(0, 2)}:${serial.slice(2, 4)}:${serial.slice(4)}`,
            addresses: ["10.0.0.17/24", "fe80::b696:91ff:fe00:1/64"],
          })),
        },
      },
    },
  });
}

function list<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index));
}
