/** The foreign programs that proofs compare with: found or made by the scripts, or left out knowingly by SIDERO_WITHOUT_PEERS. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export type Peer =
  | "bmc-peers"
  | "dhcp-peers"
  | "ipxe"
  | "refapi"
  | "kcm"
  | "kubectl"
  | "lab"
  | "sushy"
  | "tftp-clients"
  | "tshark"
  | "wireguard";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * For node:test's `skip`: false, or why the proof is left out. Only the environment can leave one out; a peer that cannot be made
 * is a failure.
 */
export function withoutPeer(...peers: Peer[]): string | false {
  const left = (process.env["SIDERO_WITHOUT_PEERS"] ?? "").split(",");
  const missing = peers.find((peer) => left.includes(peer));
  return missing === undefined ? false : `SIDERO_WITHOUT_PEERS leaves out ${missing}`;
}

function run(script: string, ...args: string[]): string {
  try {
    return execFileSync(`${ROOT}${script}`, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(
      `${script} could not make its peer (SIDERO_WITHOUT_PEERS leaves it out):\n${(stderr ?? String(error)).slice(-2000)}`,
    );
  }
}

/** Folder with refapi, kubectl and etcd. */
export function locateRefapi(): string {
  return run("test/refapi/locate.sh");
}

/** Path of kube-controller-manager 1.20. */
export function locateKcm(): string {
  return run("test/refapi/locate-kcm.sh");
}

export function locateKubectl(minor: "1.32" | "1.36"): string {
  return run("tools/kubectl.sh", minor);
}

/** Path of Wireshark's command line. */
export function locateTshark(): string {
  return run("tools/tshark.sh");
}

/** Folder of sushy-tools' emulator, DMTF's tools and a Python with sushy. */
export function locateSushy(): string {
  return run("tools/sushy.sh");
}

/** Folder of iPXE's programs. */
export function locateIpxe(): string {
  return run("tools/ipxe.sh");
}

/** Brings atftp, tftp-hpa's `tftp` and curl onto the path. */
export function bringTftpClients(): void {
  run("tools/tftp-clients.sh");
}

/** Brings wg, wireguard-go, nft and ping onto the path. */
export function bringWireguard(): void {
  run("tools/wireguard.sh");
}

/** Brings ipmitool and ipmi_sim onto the path. */
export function bringBmcPeers(): void {
  run("tools/bmc-peers.sh");
}

/** Brings QEMU with its firmware, iPXE's ROMs, dnsmasq, OpenIPMI's BMC and ipmitool. */
export function bringLab(): void {
  run("tools/lab.sh");
}

/** Makes the agent's kernel and initial RAM disk, where they are not up to date. */
export function bringImage(): void {
  run("tools/image.sh");
}

/** Makes what stands in for Talos, where it is not up to date. */
export function bringTalos(): void {
  run("tools/talos.sh");
}

/** Brings DHCP clients, a DHCP server, a relay and a listener for router advertisements onto the path. */
export function bringDhcpPeers(): void {
  run("tools/dhcp-peers.sh");
}

/** Path of the launcher, in this checkout. */
export const SIDERO: string = `${ROOT}bin/sidero`;
