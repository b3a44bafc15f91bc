/** `sidero sim`: simulated machines in real time, with BMCs on sockets of this machine, for a Sidero that runs. People try their configuration on them. */
import { systemClock as clock } from "#io/node/clock.ts";
import { listen } from "#io/node/serve.ts";
import { systemPki } from "#io/node/pki.ts";
import { openUdp } from "#io/node/udp.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { Fault } from "#std/fault.ts";
import type { BmcPorts } from "../bmc/attach.ts";
import { attach } from "../bmc/attach.ts";
import { Board } from "../bmc/board.ts";
import { introduce } from "../bmc/introduce.ts";
import { SimMachine } from "../machine/machine.ts";
import { identityFor, MODELS } from "../machine/model.ts";
import type { Identity } from "../machine/model.ts";
import { TalosWorld } from "../talos/world.ts";
import { LiveWires } from "./wires.ts";

export interface LiveSimOptions {
  readonly machines: number;
  readonly seed: number;
  /** `host:port` of Sidero's HTTP port. */
  readonly endpoint: string;
  /** How many times faster than real machines they start and shut down. */
  readonly speed: number;
  /** Tells Sidero how their BMCs are reached; absent: somebody else does. */
  readonly client?: Client;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
}

/** Above those that only root may have. */
const PORTS: BmcPorts = { ipmi: 6230, redfish: 8000, power: 34791 };
/** Milliseconds between two machines that are switched on, and between two looks for Servers whose BMC nobody knows. */
const STAGGER = 50;
const LOOK = 2_000;

/** Until the signal. Rejects when the sockets cannot be had. */
export async function runLive(options: LiveSimOptions): Promise<void> {
  const { machines: count, seed, endpoint, print, client } = options;
  const entropy = new SeededEntropy(seed);
  const isLocal = endpoint.startsWith("127.");
  const closers: (() => Promise<void>)[] = [];
  const machines: SimMachine[] = [];
  const boards = new Map<string, Board>();
  const talos = new TalosWorld({
    clock,
    entropy: new SeededEntropy(entropy.below(2 ** 32)),
    pki: systemPki,
    listenAt: (host) => (settings, handler) => listen({ ...settings, host }, handler),
    isMachine: (address) => address.startsWith("127.1."),
    tell: (who, what) => print(`${who}: ${what}`),
  });
  try {
    for (let i = 0; i < count; i++) {
      const identity = faster(identityFor(i, entropy, MODELS), options.speed);
      const tell = (what: string): void => print(`${identity.serial}: ${what}`);
      const address = isLocal ? addressOf(1, i) : "";
      const wires = new LiveWires({ identity, endpoint, address });
      const machine = new SimMachine(identity, {
        clock,
        entropy: new SeededEntropy(entropy.below(2 ** 32)),
        wires,
        tell,
        talos,
      });
      machines.push(machine);
      if (identity.model.bmc === "none") continue;
      const board = new Board({
        machine,
        address: addressOf(2, i),
        user: "admin",
        password: `sim-${Buffer.from(entropy.bytes(6)).toString("hex")}`,
        onAction: (what) => tell(`its BMC is told: ${what}`),
      });
      boards.set(identity.uuid, board);
      closers.push(await attach({ board, openUdp, listen, ports: PORTS, clock, entropy }));
    }
    print(
      `${count} machines of ${new Set(machines.map(({ identity }) => identity.model)).size} models; Sidero is at ${endpoint}`,
    );
    for (const [i, machine] of machines.entries()) clock.after(i * STAGGER, () => machine.switchOn());
    await following(options, boards, client);
  } finally {
    for (const machine of machines) machine.switchOff();
    await Promise.all(closers.map((close) => close()));
  }
}

/** Ends with the signal. */
function following(
  { signal, print }: LiveSimOptions,
  boards: ReadonlyMap<string, Board>,
  client: Client | undefined,
): Promise<void> {
  // A timer of the clock keeps no process alive.
  const staying = setInterval(() => client !== undefined && void look(client), LOOK);
  let isLooking = false;
  const look = async (api: Client): Promise<void> => {
    if (isLooking) return;
    isLooking = true;
    try {
      for (const { metadata, spec } of (await api.for(Server).listAll()).items) {
        const board = boards.get(metadata.name ?? "");
        if (board === undefined || spec?.bmc !== undefined || spec?.managementApi !== undefined) continue;
        await introduce(board, PORTS, api);
        print(`${board.serial}: Sidero is told of its BMC`);
      }
    } catch (error) {
      print(`cannot tell Sidero of BMCs: ${Fault.from(error).message}`);
    } finally {
      isLooking = false;
    }
  };
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      clearInterval(staying);
      resolve();
    });
  });
}

function faster(identity: Identity, speed: number): Identity {
  const { model } = identity;
  const [post, kernel, shutdown] = [model.post / speed, model.kernel / speed, model.shutdown / speed];
  const disks = model.disks.map((disk) => ({ ...disk, haste: speed }));
  return { ...identity, model: { ...model, post, kernel, shutdown, disks } };
}

/** `127.<block>.x.y`: everything of 127.0.0.0/8 is this machine on Linux. */
function addressOf(block: number, index: number): string {
  return `127.${block}.${(index + 1) >> 8}.${(index + 1) & 255}`;
}
