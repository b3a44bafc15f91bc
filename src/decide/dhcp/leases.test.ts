import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Leases, OFFER_TIME } from "./leases.ts";
import type { Claimant, Lease } from "./leases.ts";
import { includes, parseAddress } from "./range.ts";
import { readSubnets } from "./subnets.ts";
import type { Subnet } from "./subnets.ts";

const DURATION = 600_000;

function subnet(fields: object = {}): Subnet {
  const entry = { subnet: "10.0.0.0/24", mode: "server", pools: ["10.0.0.10-10.0.0.19"], ...fields };
  return readSubnets({ subnets: [entry] })[0]!;
}

function machine(number: number, more: Partial<Claimant> = {}): Claimant {
  const mac = `52:54:00:00:00:${number.toString(16).padStart(2, "0")}`;
  return { key: `mac ${mac}`, mac, uuids: [], ...more };
}

test("a client keeps its address: offered, given, renewed, expired and back again", () => {
  const leases = new Leases(subnet());
  const first = leases.offer(machine(1), 0)!;
  assert.deepEqual([first.address, first.state, first.expires], ["10.0.0.10", "offered", OFFER_TIME]);
  assert.equal(leases.offer(machine(1), 10)!.address, "10.0.0.10");
  leases.bind(machine(1), "10.0.0.10", 20, DURATION);
  assert.equal(leases.offer(machine(2), 30)!.address, "10.0.0.11");
  assert.deepEqual([leases.offer(machine(1), 40)!.state, leases.leaseOf(machine(1), 40)!.expires], ["bound", 20 + DURATION]);
  assert.equal(leases.mayHave(machine(2), "10.0.0.10", 50), false);
  assert.equal(leases.leaseOf(machine(1), 20 + DURATION), undefined);
  assert.equal(leases.offer(machine(1), 10 * DURATION)!.address, "10.0.0.10");
});

test("a wish is granted where it can be", () => {
  const leases = new Leases(
    subnet({ exclude: ["10.0.0.18"], reservations: [{ mac: "52:54:00:00:00:09", address: "10.0.0.17" }] }),
  );
  assert.equal(leases.offer(machine(1), 0, "10.0.0.15")!.address, "10.0.0.15");
  for (const wish of ["10.0.0.15", "10.0.0.17", "10.0.0.18", "10.0.0.99", "192.0.2.1", "fd00::1"]) {
    assert.equal(leases.offer(machine(2), 0, wish)!.address, "10.0.0.10", wish);
  }
});

test("reservations go by MAC, UUID and client identifier, to nobody else, and not while somebody still has the address", () => {
  const uuid = "00112233-4455-6677-8899-aabbccddeeff";
  const reservations = [
    { mac: "52-54-00-00-00-01", address: "10.0.0.10" },
    { uuid: uuid.toUpperCase(), address: "10.0.0.5", hostname: "rack-2" },
    { clientId: "FF01", address: "10.0.0.6" },
  ];
  const leases = new Leases(subnet({ reservations }));
  assert.equal(leases.offer(machine(7), 0, "10.0.0.10")!.address, "10.0.0.11");
  assert.equal(leases.offer(machine(1), 0)!.address, "10.0.0.10");
  assert.equal(leases.offer(machine(2, { uuids: ["x", uuid] }), 0)!.address, "10.0.0.5");
  assert.equal(leases.reservationOf(machine(2, { uuids: [uuid] }))!.hostname, "rack-2");
  assert.equal(leases.offer(machine(3, { clientId: "ff01" }), 0)!.address, "10.0.0.6");
  // Known by its UUID once, the machine keeps the address when its system does not say the UUID.
  leases.bind(machine(2, { uuids: [uuid] }), "10.0.0.5", 0, DURATION);
  assert.equal(leases.mayHave(machine(2), "10.0.0.5", 1), false);
});

test("the address that expired first is given again, when none is left that was never used", () => {
  const leases = new Leases(subnet({ pools: ["10.0.0.10-10.0.0.12"] }));
  for (const [i, at] of [
    [1, 300],
    [2, 100],
    [3, 200],
  ] as const) {
    const { address } = leases.offer(machine(i), 0)!;
    leases.bind(machine(i), address, at, DURATION);
  }
  assert.equal(leases.offer(machine(4), 99 + DURATION), undefined);
  assert.equal(leases.offer(machine(4), 250 + DURATION)!.address, "10.0.0.11");
  assert.equal(leases.offer(machine(5), 250 + DURATION)!.address, "10.0.0.12");
  assert.equal(leases.offer(machine(6), 250 + DURATION), undefined);
  assert.equal(leases.release(machine(2), "10.0.0.10", 260 + DURATION), undefined);
  assert.equal(leases.release(machine(1), "10.0.0.10", 260 + DURATION)!.expires, 260 + DURATION);
  assert.equal(leases.offer(machine(6), 260 + DURATION)!.address, "10.0.0.10");
});

test("an address in quarantine is nobody's for a while", () => {
  const leases = new Leases(subnet({ pools: ["10.0.0.10-10.0.0.11"] }));
  leases.offer(machine(1), 0);
  leases.quarantine("10.0.0.10", 5, 1000);
  assert.equal(leases.leaseOf(machine(1), 6), undefined);
  assert.equal(leases.offer(machine(1), 6)!.address, "10.0.0.11");
  assert.equal(leases.offer(machine(2), 7), undefined);
  assert.equal(leases.offer(machine(2), 1005)!.address, "10.0.0.10");
});

test("what was forgotten can be given anew", () => {
  const leases = new Leases(subnet({ pools: ["10.0.0.10"] }));
  leases.bind(machine(1), "10.0.0.10", 0, DURATION);
  assert.deepEqual(
    leases.sweep(DURATION).map(({ address }) => address),
    [],
  );
  assert.deepEqual(
    leases.sweep(DURATION + 1).map(({ address }) => address),
    ["10.0.0.10"],
  );
  assert.equal(leases.knows(machine(1)), false);
  assert.equal(leases.offer(machine(2), DURATION + 2)!.address, "10.0.0.10");
});

test("a pool of 2⁶⁴ addresses costs nothing before they are given", () => {
  const leases = new Leases(subnet({ subnet: "fd00::/64", pools: ["fd00::/64"], exclude: ["fd00::1-fd00:0:0:0:ffff::"] }));
  assert.equal(leases.offer(machine(1), 0)!.address, "fd00::ffff:0:0:1");
});

type Step =
  | { readonly do: "offer" | "request" | "release" | "decline"; readonly who: number; readonly wish: number }
  | { readonly do: "pass"; readonly time: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constantFrom("offer", "request", "release", "decline"),
    who: fc.integer({ min: 1, max: 9 }),
    wish: fc.integer({ min: 0, max: 24 }),
  } as const),
  fc.record({ do: fc.constant("pass"), time: fc.integer({ min: 1, max: DURATION }) } as const),
);

test("nobody gets an address that another has, that is another's, or that is not to be given; none is refused while one is free", () => {
  const place = subnet({
    pools: ["10.0.0.10-10.0.0.13", "10.0.0.20-10.0.0.21"],
    exclude: ["10.0.0.12"],
    reservations: [1, 2].map((i) => ({ mac: machine(i).mac, address: `10.0.0.${19 + i}` })),
  });
  const general = ["10.0.0.10", "10.0.0.11", "10.0.0.13"];
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const leases = new Leases(place);
      // What clients were told: until when which address is whose.
      const told = new Map<string, { who: number; until: number }>();
      const quarantined = new Map<string, number>();
      let now = 0;
      const check = (lease: Lease, who: number): void => {
        const { address } = lease;
        const other = told.get(address);
        assert.ok(other === undefined || other.who === who || other.until <= now, `${address} is machine ${other?.who}'s`);
        assert.ok((quarantined.get(address) ?? 0) <= now, `${address} is in quarantine`);
        assert.ok(general.includes(address) || address === `10.0.0.${19 + who}`, `${address} is not for machine ${who}`);
      };
      for (const each of steps) {
        if (each.do === "pass") {
          now += each.time;
          continue;
        }
        const claimant = machine(each.who);
        const wish = `10.0.0.${each.wish}`;
        if (each.do === "offer") {
          const lease = leases.offer(claimant, now, wish);
          if (lease !== undefined) check(lease, each.who);
          else for (const address of general) assert.equal(leases.mayHave(claimant, address, now), false, `${address} is free`);
        } else if (each.do === "request") {
          const address = leases.leaseOf(claimant, now)?.address ?? wish;
          if (!leases.mayHave(claimant, address, now)) continue;
          const lease = leases.bind(claimant, address, now, DURATION);
          check(lease, each.who);
          for (const [other, { who }] of told) if (who === each.who) told.delete(other);
          told.set(address, { who: each.who, until: now + DURATION });
        } else if (each.do === "release") {
          const address = leases.leaseOf(claimant, now)?.address;
          if (address !== undefined && leases.release(claimant, address, now) !== undefined) told.delete(address);
        } else {
          const address = leases.leaseOf(claimant, now)?.address;
          if (address === undefined) continue;
          leases.quarantine(address, now, DURATION);
          quarantined.set(address, now + DURATION);
          told.delete(address);
        }
      }
      const addresses = [...leases.all()].map(({ address }) => address);
      assert.equal(new Set(addresses).size, addresses.length);
      assert.ok(addresses.every((address) => includes(place.network, parseAddress(address)!)));
    }),
    { numRuns: 300 },
  );
});

test("in a pool that is full, whoever gives addresses back and takes them again causes no search each time", () => {
  const leases = new Leases(subnet({ subnet: "10.0.0.0/16", pools: ["10.0.0.0-10.0.255.255"] }));
  const client = (number: number): Claimant => ({ key: `mac ${number}`, uuids: [] });
  for (let i = 0; i < 65_536; i++) leases.offer(client(i), 0);
  const { user } = process.cpuUsage();
  for (let i = 0; i < 3000; i++) {
    const { address } = leases.leaseOf(client(i), 1)!;
    leases.withdraw(client(i), 1);
    assert.equal(leases.offer(client(100_000 + i), 1)?.address, address);
  }
  // Three thousand searches take seven.
  assert.ok(process.cpuUsage().user - user < 2_000_000);
});
