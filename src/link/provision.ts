/** `sidero.link.ProvisionService`: a machine asks for its tunnel (facts §7.1), and gets it if it proves which boot it is (`decide/link/provision.ts`). */
import type { Inventory } from "#decide/boot/asker.ts";
import { machineOf, type Digest } from "#decide/identity/machine.ts";
import { type BootToken, decodeToken, type Seal } from "#decide/identity/token.ts";
import { addressOf, type LinkNetwork, readAddress, type Sha256 } from "#decide/link/address.ts";
import { decideProvision, type Pin, type Proof, type Provision } from "#decide/link/provision.ts";
import type { Witness } from "#decide/sighting.ts";
import type { Clock } from "#io/clock.ts";
import type { Log } from "#io/log.ts";
import type { Handler, Incoming } from "#io/serve.ts";
import type { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { ProvisionRequest } from "#proto/siderolink/provision_pb.js";
import { ProvisionRequestSchema, ProvisionResponseSchema } from "#proto/siderolink/provision_pb.js";
import { Fault } from "#std/fault.ts";
import { parseUuid } from "#std/uuid.ts";
import type { KeptTunnel } from "./kept-tunnel.ts";
import type { Peers } from "./peers.ts";
import type { LinkPort } from "./port.ts";
import { rpcFault, unary } from "./unary.ts";

export const PROVISION_PATH = "/sidero.link.ProvisionService/Provision";

export interface ProvisionOptions {
  readonly port: LinkPort;
  readonly inventory: Inventory;
  readonly network: LinkNetwork;
  readonly peers: Peers;
  readonly tunnel: Pick<KeptTunnel, "handshakes" | "isUp">;
  readonly publicKey: string;
  readonly seal: Seal;
  readonly digest: Digest;
  readonly sha256: Sha256;
  readonly clock: Clock;
  readonly log: Log;
  readonly witness: Witness;
  /** `host:port` of WireGuard for a machine that called there. */
  readonly endpoint: (incoming: Incoming) => string;
  /** `[address]:port` that names the machine with this address where its packets come by gRPC. */
  readonly virtual: (address: string) => string;
  /** What guests join with: of machines that no boot of ours has started; absent: there are none. */
  readonly guestToken?: string;
  /** Calls without a token are let in. */
  readonly isOpen: boolean;
  /** Milliseconds that a script's token counts. */
  readonly tokenLifetime: number;
}

export function createProvision(options: ProvisionOptions): Handler {
  const { port, inventory, network, peers, clock, log, witness } = options;

  async function provision(request: ProvisionRequest, incoming: Incoming): Promise<{ address: string }> {
    if (!inventory.isComplete) throw rpcFault("unavailable", "starting: try again");
    const { address } = incoming.peer;
    const { proof, token } = proofOf(request.joinToken, options);
    const uuid = request.nodeUuid.toLowerCase();
    const machine = machineOf({ uuid, macs: token?.mac === undefined ? [] : [token.mac] }, inventory, options.digest);
    const { server } = machine ?? {};
    const name = server?.metadata.name ?? "";
    const binding = server === undefined ? undefined : await port.binding(name);
    const own = name || uuid;
    const pin = binding === undefined ? peers.guestPin(own) : pinOf(binding);
    const silentFor = pin && (await silence(pin.publicKey));
    const isTaken = (taken: string): boolean => (peers.nameAt(taken) ?? own) !== own;
    const keyOf = peers.nameOf(request.nodePublicKey);
    const decided = decideProvision(
      { uuid, publicKey: request.nodePublicKey, ...uniqueOf(request, options.digest) },
      {
        network,
        proof,
        isOpen: options.isOpen,
        server: server === undefined ? "unknown" : server.spec?.accepted === true ? "accepted" : "discovered",
        binding: binding?.metadata.deletionTimestamp === undefined ? binding && boundOf(binding) : undefined,
        ...(pin && { pin }),
        ...(silentFor !== undefined && { silentFor }),
        ...(keyOf !== undefined && keyOf !== own && { keyOf }),
        address: parseUuid(uuid) === undefined ? "" : addressOf(network, uuid, options.sha256, isTaken),
      },
    );
    const of = { address, uuid, ...(server && { server: name }) };
    if (decided.is === "refused") {
      witness({
        of: token === undefined ? { address } : of,
        at: clock.now(),
        what: "link.refused",
        text: `was refused a tunnel: ${decided.message}`,
      });
      if (server !== undefined)
        port.event(server, "Warning", "SideroLink", `A machine at ${address} was refused its tunnel: ${decided.message}.`);
      throw rpcFault(decided.code, decided.message);
    }
    await grant(decided, binding, own);
    witness({ of, at: clock.now(), what: "link.joined", text: `joined SideroLink as ${decided.address}` });
    return { address: decided.address };
  }

  /** On record, and the tunnel knows of it, before the machine does. */
  async function grant(
    decided: Extract<Provision, { is: "granted" }>,
    binding: ServerBinding | undefined,
    name: string,
  ): Promise<void> {
    const { pin, address, role, isNew } = decided;
    if (role === "machine" && binding !== undefined && isNew) {
      const spec = { address, publicKey: pin.publicKey };
      await port.join(binding, spec, {
        ...(pin.boot !== undefined && { boot: pin.boot }),
        ...(pin.issued !== undefined && { issuedAt: new Date(pin.issued).toISOString().replace(/\.\d+/, "") }),
        ...(pin.uniqueToken !== undefined && { uniqueToken: pin.uniqueToken }),
      });
    }
    // A guest is on record nowhere: only where the tunnel ends can it be let in.
    if (role === "guest" && !options.tunnel.isUp) throw rpcFault("unavailable", "the tunnel does not end here now: try again");
    if (role === "guest") await peers.setGuest(name, pin, readAddress(network, address)!);
    else await peers.setMachine(name, { publicKey: pin.publicKey, address: readAddress(network, address)! });
  }

  /** Where the tunnel does not end nobody knows: then the key counts as in use. */
  async function silence(publicKey: string): Promise<number | undefined> {
    const handshakes = await options.tunnel.handshakes().catch(() => undefined);
    if (handshakes === undefined) return 0;
    const last = handshakes.get(publicKey);
    return last === undefined ? undefined : clock.now() - last;
  }

  return unary(
    {
      input: ProvisionRequestSchema,
      output: ProvisionResponseSchema,
      run: async (request, incoming) => {
        const { address } = await provision(request, incoming);
        const grpcPeerAddrPort = request.wireguardOverGrpc === true ? options.virtual(address) : "";
        return {
          serverEndpoint: [grpcPeerAddrPort || options.endpoint(incoming)],
          grpcPeerAddrPort,
          serverPublicKey: options.publicKey,
          nodeAddressPrefix: address,
          serverAddress: network.server,
        };
      },
    },
    (fault, { peer }) => {
      const isRefusal = fault.facts["rpc"] !== undefined;
      log[isRefusal ? "warn" : "error"]("a machine did not join SideroLink", {
        address: peer.address,
        because: isRefusal ? fault.message : fault,
      });
    },
  );
}

/** What is kept of the token that a machine keeps: enough to know it again. */
function uniqueOf({ nodeUniqueToken }: ProvisionRequest, digest: Digest): { uniqueToken?: string } {
  return nodeUniqueToken ? { uniqueToken: nodeUniqueToken.length > 512 ? nodeUniqueToken : digest(nodeUniqueToken) } : {};
}

function proofOf(
  text: string | undefined,
  { seal, tokenLifetime, guestToken, digest }: ProvisionOptions,
): { proof: Proof; token?: BootToken } {
  if (!text) return { proof: { is: "none" } };
  // Of digests: how long the comparison takes tells nothing.
  if (guestToken !== undefined && digest(text) === digest(guestToken)) return { proof: { is: "guest" } };
  try {
    // Its end is not looked at: a machine boots from its disk with it for years.
    const token = decodeToken(text, seal, 0, "link");
    return { token, proof: { is: "boot", uuid: token.uuid ?? "", boot: token.boot, issued: token.expires - tokenLifetime } };
  } catch (error) {
    return { proof: { is: "refused", problem: Fault.from(error).message } };
  }
}

function boundOf({ spec }: ServerBinding): { address?: string } {
  return spec?.siderolink === undefined ? {} : { address: spec.siderolink.address };
}

function pinOf({ spec, status }: ServerBinding): Pin | undefined {
  const { publicKey } = spec?.siderolink ?? {};
  if (publicKey === undefined) return undefined;
  const { boot, issuedAt, uniqueToken } = status?.siderolink ?? {};
  return {
    publicKey,
    ...(boot !== undefined && { boot }),
    ...(issuedAt !== undefined && { issued: Date.parse(issuedAt) }),
    ...(uniqueToken !== undefined && { uniqueToken }),
  };
}
