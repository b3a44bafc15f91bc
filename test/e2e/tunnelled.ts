/** Machines of a rack that are in the tunnel by UDP, and somebody beside them who is not one of them. */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { inside, output } from "../../lab/command.ts";
import type { Site } from "../../lab/site.ts";
import { start, waitFor, type Child } from "../peers/process.ts";
import { patience } from "./fixture.ts";

/** connect's gRPC client, `wg` and wireguard-go. */
const PEER = fileURLToPath(new URL("../link/machine.ts", import.meta.url));
const STRANGER = "00000000-0000-4000-8000-00000000beef";
const INTERFACE = "wgguest";

/** Public keys of all that are in the tunnel. */
export async function peersOf({ network }: Site): Promise<string[]> {
  const text = await output(...inside(network.namespace, "wg", ["show", "siderolink", "peers"]));
  return text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

/** All of its machines are in the tunnel and have told their kernel's log; a guest gets in with its token, as nobody else, and reaches none of them. */
export async function tunnelled(site: Site, context: TestContext): Promise<void> {
  const { sidero, network, machines } = site;
  const list = JSON.parse(await sidero.kubectl("get", "serverbindings", "-o", "json")) as { items: ServerBinding[] };
  const links = list.items.map(({ spec }) => spec!.siderolink!);
  assert.equal(links.length, machines.length);
  assert.deepEqual(await peersOf(site), links.map(({ publicKey }) => publicKey).toSorted());
  for (const { description } of machines) {
    const log = await sidero.run("logs", description.uuid!, "--lines", "all", "--kubeconfig", sidero.kubeconfig);
    assert.match(log, /Linux version 6\./);
  }

  const namespace = await network.annex(9);
  const secret = await sidero.kubectl("get", "secret", "siderolink", "-o", "jsonpath={.data.guest-token}");
  const token = Buffer.from(secret, "base64").toString();
  const join = async (uuid: string): Promise<Child> => {
    const child = start(...inside(namespace, process.execPath, [PEER, "10.77.0.1", uuid, token, INTERFACE]));
    context.after(() => child.stop());
    await waitFor(child, "an answer", patience(10), () => (/"(joined|failed)"/.test(child.log()) ? true : undefined));
    return child;
  };
  const thief = await join(machines[0]!.description.uuid!);
  assert.match(thief.log(), /"failed".*belongs to a cluster/);
  const guest = await join(STRANGER);
  const { server } = JSON.parse(/^\{"joined".*$/m.exec(guest.log())![0]) as { server: string };
  assert.ok(await answers(namespace, server), "the guest reaches the server");
  for (const { address } of links) {
    const [machine = ""] = address.split("/");
    assert.ok(await answers(network.namespace, machine), `${machine} is alive`);
    await output(
      ...inside(namespace, "wg", [
        "set",
        INTERFACE,
        "peer",
        await serverKey(namespace),
        "allowed-ips",
        `${server}/128,${machine}/128`,
      ]),
    );
    await output(...inside(namespace, "ip", ["-6", "route", "replace", machine, "dev", INTERFACE]));
    assert.ok(!(await answers(namespace, machine)), `the guest reaches ${machine}`);
  }
}

async function serverKey(namespace: string): Promise<string> {
  return (await output(...inside(namespace, "wg", ["show", INTERFACE, "peers"]))).trim();
}

async function answers(namespace: string, address: string): Promise<boolean> {
  const command = inside(namespace, "ping", ["-6", "-c", "2", "-W", "5", address]);
  return output(...command).then(
    () => true,
    () => false,
  );
}
