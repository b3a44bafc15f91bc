/** On which interfaces, ports and networks the service listens. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryNetwork } from "#io/memory/network.ts";
import { readSubnets } from "#decide/dhcp/subnets.ts";
import { captured, request } from "../../../test/boot/dhcp-client.ts";
import { lease, machine, POOL, rack, serve } from "../../../test/boot/dhcp-rack.ts";
import type { Dhcp } from "./dhcp.ts";

test("two interfaces, each with its own address, mode and leases", async (context) => {
  const network = new MemoryNetwork();
  const server = network.host();
  server.connect("left", "eth0", ["10.0.0.1/24"]);
  server.connect("right", "eth1", ["10.1.0.1/24"]);
  await serve(context, server, { subnets: readSubnets({ subnets: [POOL] }) });
  const [left, right] = [await machine(network, "left"), await machine(network, "right")];
  assert.equal(await lease(left), "10.0.0.50");
  const [offer] = await right.ask(captured("ovmf-pxe-discover"));
  assert.deepEqual([offer!.yiaddr, offer!.siaddr, offer!.options.serverId], ["0.0.0.0", "10.1.0.1", "10.1.0.1"]);
  assert.equal(
    left.replies.some(({ siaddr }) => siaddr === "10.1.0.1"),
    false,
  );
});

test("interfaces: the endpoint's alone, those that are named, those that come later; what is gone is let go", async (context) => {
  const network = new MemoryNetwork();
  const server = network.host();
  server.connect("left", "eth0", ["10.0.0.1/24"]);
  server.connect("right", "eth1", ["10.1.0.1/24"]);
  const open = ({ dhcp }: { dhcp: Dhcp }): string[] => dhcp.status().interfaces.map(({ name }) => name);
  const all = await serve(context, server);
  assert.deepEqual(open(all), ["eth0", "eth1"]);
  await all.dhcp.close();
  const endpoint = await serve(context, server, { endpoint: "10.1.0.1" });
  assert.deepEqual(open(endpoint), ["eth1"]);
  await endpoint.dhcp.close();
  const subnets = readSubnets({ subnets: [{ ...POOL, subnet: "10.0.0.0/24" }] });
  const both = await serve(context, server, { endpoint: "name.example", lookup: async () => ["10.1.0.1"], subnets });
  assert.deepEqual(open(both), ["eth0", "eth1"]);
  await both.dhcp.close();

  const named = await serve(context, server, { interfaceNames: ["eth2"] });
  assert.deepEqual(open(named), []);
  assert.match(named.lines[0]!, /no interface eth2 that is up/);
  server.connect("third", "eth2", ["10.2.0.1/24"]);
  await named.clock.advance(5000);
  assert.deepEqual(open(named), ["eth2"]);
  const [offer] = await (await machine(network, "third")).ask(captured("ovmf-pxe-discover"));
  assert.equal(offer!.siaddr, "10.2.0.1");
  server.disconnect("eth2");
  await named.clock.advance(5000);
  assert.deepEqual(open(named), []);
  server.connect("third", "eth2", ["10.3.0.1/24"]);
  await named.clock.advance(5000);
  const [again] = await (await machine(network, "third")).ask(captured("ovmf-pxe-discover"));
  assert.equal(again!.siaddr, "10.3.0.1");
});

test("an endpoint that is no address of this host is told to machines, and said once", async (context) => {
  const { network, lines, clock } = await rack(context, { endpoint: "192.0.2.80" });
  const [offer] = await (await machine(network)).ask(captured("ovmf-http-discover"));
  assert.deepEqual([offer!.options.bootFile, offer!.options.serverId], ["http://192.0.2.80:8081/tftp/snp.efi", "10.0.0.1"]);
  await clock.advance(60_000);
  assert.deepEqual(lines.length, 1);
  assert.match(lines[0]!, /warn DHCP: the endpoint 192\.0\.2\.80 is no address of this host/);
});

test("an endpoint whose name cannot be looked up is looked up again", async (context) => {
  let isUp = false;
  const lookup = async (): Promise<string[]> => {
    if (!isUp) throw new Error("no DNS");
    return ["192.0.2.80"];
  };
  const { network, lines, clock } = await rack(context, { endpoint: "sidero.example", lookup });
  const wire = await machine(network);
  const server = async (): Promise<string> => (await wire.ask(captured("ovmf-pxe-discover")))[0]!.siaddr;
  assert.equal(await server(), "10.0.0.1");
  assert.match(lines[0]!, /sidero\.example cannot be looked up \(no DNS\)/);
  isUp = true;
  await clock.advance(65_000);
  assert.equal(await server(), "192.0.2.80");
});

test("a port that another program has is told with a remedy, tried again, and does not stop the rest", async (context) => {
  const network = new MemoryNetwork();
  const server = network.host();
  server.connect("wire", "eth0", ["10.0.0.1/24"]);
  const other = await server.openUdp({ family: 4, host: "", port: 67 }, () => {});
  const { dhcp, lines, clock } = await serve(context, server);
  const [state] = dhcp.status().interfaces;
  assert.deepEqual(
    [state!.open, state!.problems],
    [["PXE", "other servers"], ["cannot open UDP port 67 on eth0: another program has this port"]],
  );
  assert.match(
    lines[0]!,
    /^error DHCP: cannot open UDP port 67 .* stop the other DHCP server .*docs\/guides\/dhcp\.md.*every 30 s/,
  );
  await clock.advance(60_000);
  assert.equal(lines.length, 1);
  await other.close();
  await clock.advance(35_000);
  assert.deepEqual(dhcp.status().interfaces[0]!.problems, []);
  assert.equal((await (await machine(network)).ask(captured("ovmf-pxe-discover"))).length, 1);
});

test("off is silent, per network and altogether; a subnet may go without network boot", async (context) => {
  const off = await rack(context, { mode: "off" });
  assert.deepEqual(
    [await (await machine(off.network)).ask(captured("ovmf-pxe-discover")), off.dhcp.status().interfaces[0]!.open],
    [[], []],
  );
  const without = await rack(context, { subnets: readSubnets({ subnets: [{ ...POOL, boot: false }] }) });
  const [offer] = await (await machine(without.network)).ask(captured("ovmf-pxe-discover"));
  assert.deepEqual([offer!.yiaddr, offer!.file, offer!.options.bootFile], ["10.0.0.50", "", undefined]);
});

test("what came before the end is answered, and nothing after it", async (context) => {
  const { network, dhcp, lines } = await rack(context, { subnets: readSubnets({ subnets: [POOL] }) });
  const wire = await machine(network);
  const asked = wire.ask(request({}));
  await new Promise((resolve) => setImmediate(resolve));
  await dhcp.close();
  assert.equal((await asked).length, 1);
  assert.deepEqual([await wire.ask(request({})), lines], [[], []]);
});
