/** 1,000 DISCOVERs a second of machines that nobody has seen before: how many get an OFFER, and when. Sidero and dnsmasq, each on a cable. */
import { join } from "node:path";
import { alone, compare, print } from "../report.ts";
import { rounds } from "./round.ts";
import type { Place } from "./place.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";

const RATE = 1_000;
const SECONDS = 5;

export async function benchDhcp(place: Place, sidero: Server): Promise<void> {
  const load = await place.compile("dhcp-load.c");
  const dnsmasq = await startDnsmasq(place);
  const servers = [sidero, dnsmasq];
  const machines = String(Math.ceil(RATE * SECONDS * place.share));
  const command = (server: Server): string[] => [load, server === sidero ? "ours-end" : "theirs-end", machines, String(RATE)];
  const series = await rounds(place, servers, command, "clients");
  const [ours, theirs] = series;
  const name = `DHCP discovers, ${RATE} a second`;
  print(compare(`${name}, offers`, "offers/s", quotient(ours!), quotient(theirs!), "dnsmasq"));
  print(compare(`${name}, slowest hundredth`, "ms", ours!["p99"]!, theirs!["p99"]!, "dnsmasq"));
  const cost = (of: (typeof series)[number]): number[] => of["cpu"]!.map((cpu, i) => cpu / of["answered"]![i]!);
  print(compare(`${name}, CPU of the server`, "ms/offer", cost(ours!), cost(theirs!), "dnsmasq"));
  print(
    alone(
      `${name}, answered by Sidero`,
      "%",
      ours!["answered"]!.map((answered) => (100 * answered) / Number(machines)),
    ),
  );
  await dnsmasq.close();

  function quotient(of: (typeof series)[number]): number[] {
    return of["answered"]!.map((answered, i) => answered / of["seconds"]![i]!);
  }
}

function startDnsmasq(place: Place): Promise<Server> {
  const args = [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--pid-file=",
    "--log-facility=/dev/null",
    "--user=root",
    "--port=0",
  ];
  const range = [
    "--interface=theirs",
    "--bind-interfaces",
    "--dhcp-range=10.81.1.0,10.81.254.255,255.255.0.0,1h",
    "--dhcp-lease-max=60000",
  ];
  const leases = `--dhcp-leasefile=${join(place.directory, "dnsmasq.leases")}`;
  // It would try whether each address is free.
  const command = ["dnsmasq", ...args, ...range, leases, "--no-ping", "--dhcp-authoritative", "--dhcp-boot=undionly.kpxe"];
  return startServer(place, { name: "dnsmasq-dhcp", address: "10.81.0.1", command });
}
