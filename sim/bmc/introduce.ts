/** What a person writes into a Server so that Sidero reaches its BMC: where it is, and a Secret with who may log in. */
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { kindRef } from "#kube/kind.ts";
import { isAlreadyExists } from "#kube/status.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { BmcPorts } from "./attach.ts";
import type { Board } from "./board.ts";

interface Secret extends KubeObject {
  type: string;
  data: Record<string, string>;
}

const Secrets = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });
const NAMESPACE = "default";

export async function introduce(board: Board, ports: BmcPorts, client: Client): Promise<void> {
  const { uuid, address, serial, machine } = board;
  const { bmc } = machine.identity.model;
  const servers = client.for(Server);
  if (bmc === "http") {
    await servers.patch(uuid, { spec: { managementApi: { endpoint: `http://${address}:${ports.power}` } } });
    return;
  }
  const name = `bmc-${serial.toLowerCase()}`;
  const data = { user: base64(board.user), pass: base64(board.password) };
  const secrets = client.for(Secrets).in(NAMESPACE);
  await secrets.create({ metadata: { name, namespace: NAMESPACE }, type: "Opaque", data }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error;
    return secrets.patch(name, { data });
  });
  const from = (key: string) => ({ secretKeyRef: { namespace: NAMESPACE, name, key } });
  const credentials = { userFrom: from("user"), passFrom: from("pass") };
  const spec =
    bmc === "ipmi"
      ? { bmc: { endpoint: address, port: ports.ipmi, ...credentials } }
      : { bmc: { endpoint: `redfish+http://${address}:${ports.redfish}/redfish/v1/Systems/1`, ...credentials } };
  await servers.patch(uuid, { spec });
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
