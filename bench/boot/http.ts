/** Assets by HTTP to 1, 16 and 128 clients, Sidero and nginx in turn; and boot decisions of Sidero at a steady rate. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { alone, compare, print } from "../report.ts";
import { expectAll, quotients, rounds } from "./round.ts";
import type { Place } from "./place.ts";
import { startServer } from "./server.ts";
import type { Server } from "./server.ts";
import { HTTP_PORT, image } from "./sidero.ts";

const CLIENTS = [1, 16, 128];
/** Of 32 MB, of one round. */
const DOWNLOADS = 256;
const RATE = 1_000;
/** Shorter than the server waits on a connection that has said nothing: the client uses only as many as it needs. */
const SECONDS = 8;

export async function benchAssets(place: Place, sidero: Server): Promise<void> {
  const load = await place.compile("http-load.c");
  const nginx = await startNginx(place);
  const ask = new Map([
    [sidero, [HTTP_PORT, "/env/agent-amd64/initramfs.xz"]],
    [nginx, ["80", "/initramfs-amd64"]],
  ]);
  const servers = [sidero, nginx];
  for (const clients of CLIENTS) {
    const numbers = [clients, Math.max(clients, Math.ceil(DOWNLOADS * place.share)), 0].map(String);
    const series = await rounds(place, servers, (server) => [load, server.address, ...ask.get(server)!, ...numbers]);
    expectAll(servers, series);
    const name = `HTTP assets, ${clients} ${clients === 1 ? "client" : "clients"}`;
    const [rate, theirRate] = series.map((each) => quotients(each, "bytes", "seconds", 1e-6));
    print(compare(name, "MB/s", rate!, theirRate!, "nginx"));
    const [cost, theirCost] = series.map((each) => quotients(each, "cpu", "bytes", 1e6));
    print(compare(`${name}, CPU of the server`, "ms/MB", cost!, theirCost!, "nginx"));
  }
  await nginx.close();
}

/** 1,000 machines that nobody has seen before ask, one after the other and again. */
export async function benchDecisions(place: Place, sidero: Server): Promise<void> {
  const load = await place.compile("http-load.c");
  const path = "/ipxe?uuid=4c4c4544-0000-4000-8000-00000000#&mac=52-54-00-00-00-01&serial=S#&arch=x86_64&platform=pcbios";
  const count = Math.ceil(RATE * SECONDS * place.share);
  const numbers = [64, count, RATE].map(String);
  const servers = [sidero];
  const [series] = await rounds(place, servers, ({ address }) => [load, address, HTTP_PORT, path, ...numbers]);
  expectAll(servers, [series!]);
  const name = `boot decisions, ${RATE} a second`;
  print(alone(`${name}, median`, "ms", series!["p50"]!));
  print(alone(`${name}, slowest hundredth`, "ms", series!["p99"]!));
  print(
    alone(
      `${name}, CPU of the server`,
      "ms/decision",
      series!["cpu"]!.map((cpu) => cpu / count),
    ),
  );
}

/** One worker: what it does, it does in one core. */
async function startNginx(place: Place): Promise<Server> {
  const file = join(place.directory, "nginx.conf");
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (each) => `${each}_temp_path ${join(place.directory, `nginx-${each}`)};`,
  );
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${file}.pid; error_log stderr; user root;
events { worker_connections 1024; }
http {
  sendfile on; tcp_nopush on; access_log off; keepalive_requests 1000000; ${temporary.join(" ")}
  server { listen 127.0.0.2:80; root ${image(place)}; }
}
`,
  );
  return startServer(place, {
    name: "nginx",
    address: "127.0.0.2",
    command: [`${place.peers}/usr/sbin/nginx`, "-e", "stderr", "-c", file],
    env: place.peerEnvironment,
  });
}
