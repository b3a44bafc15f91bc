/** People: they accept machines, give them to others and take them back, pause, ask, delete, and press buttons, when it occurs to them. */
import type { SeededEntropy } from "#io/memory/entropy.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { REQUEST_ANNOTATION, Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client } from "#kube/client.ts";
import { USUAL_PORTS } from "../bmc/attach.ts";
import type { Board } from "../bmc/board.ts";
import { introduce } from "../bmc/introduce.ts";
import type { SimMachine } from "../machine/machine.ts";
import type { Ledger } from "./ledger.ts";

export const PAUSED = "cluster.x-k8s.io/paused";
const VERBS = ["wipe", "reboot", "power-on", "power-off", "power-cycle", "identify", "retry"] as const;

export interface PeopleOptions {
  readonly entropy: SeededEntropy;
  readonly client: () => Client | undefined;
  readonly ledger: Ledger;
  readonly machines: readonly SimMachine[];
  readonly boards: ReadonlyMap<string, Board>;
  readonly tell: (what: string) => void;
}

type Deed = (machine: SimMachine, client: Client) => Promise<void>;

export class People {
  readonly #options: PeopleOptions;
  #count = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** One deed, of somebody, on some machine. What the API refuses is no matter: people try again. */
  async act(): Promise<void> {
    const { entropy, machines, client } = this.#options;
    const api = client();
    if (api === undefined) return;
    const deeds = this.#deeds;
    let dice = entropy.fraction() * deeds.reduce((sum, [weight]) => sum + weight, 0);
    const [, deed] = deeds.find(([weight]) => (dice -= weight) < 0)!;
    await deed(machines[entropy.below(machines.length)]!, api).catch(() => undefined);
  }

  readonly #deeds: readonly (readonly [weight: number, deed: Deed])[] = [
    [10, (machine, client) => this.accept(machine, client)],
    [6, (machine, client) => this.bind(machine, client)],
    [4, (machine, client) => this.release(machine, client)],
    [2, (machine, client) => this.#annotate(machine, client, PAUSED, "")],
    [4, (machine, client) => this.#annotate(machine, client, PAUSED, null)],
    [1, (machine, client) => this.#patch(machine, client, "cordons", { spec: { cordoned: this.#options.entropy.chance(0.5) } })],
    [3, (machine, client) => this.#request(machine, client)],
    [1, (machine, client) => this.remove(machine, client)],
    [0.5, (machine, client) => this.#patch(machine, client, "takes back", { spec: { accepted: false } })],
    [2, async (machine) => this.#press(machine)],
  ];

  /** Tells how the BMC is reached, and that the machine is ours. */
  async accept(machine: SimMachine, client: Client): Promise<void> {
    // By IPMI, now and then, it is left to the agent, which makes an account on its own.
    const isLeft = machine.systemInterface !== undefined && this.#options.entropy.chance(0.3);
    if (!isLeft) await this.introduce(machine, client);
    await this.agree(machine, client);
  }

  /** That the machine is ours, and no more. */
  async agree(machine: SimMachine, client: Client): Promise<void> {
    await this.#patch(machine, client, "accepts", { spec: { accepted: true } });
  }

  async introduce(machine: SimMachine, client: Client): Promise<void> {
    const { uuid, serial } = machine.identity;
    const board = this.#options.boards.get(uuid);
    const spec = this.#options.ledger.servers.get(uuid)?.spec;
    if (spec === undefined || board === undefined || spec.bmc !== undefined || spec.managementApi !== undefined) return;
    await introduce(board, USUAL_PORTS, client);
    this.#options.tell(`introduces the BMC of ${serial}`);
  }

  /** Says where systems are to be installed on it: no two models of the hall have the same disks. */
  async nameDisk(machine: SimMachine, client: Client): Promise<void> {
    const [disk] = machine.identity.model.disks;
    const configPatches = [{ op: "add", path: "/machine/install/disk", value: `/dev/${disk!.name}` }];
    await this.#patch(machine, client, "says where to install on", { spec: { configPatches } });
  }

  async bind(machine: SimMachine, client: Client): Promise<void> {
    const { uuid, serial } = machine.identity;
    const server = this.#options.ledger.servers.get(uuid);
    // As a scheduler does: what is not clean is nobody's; now and then somebody does not look.
    const isFree = server?.spec?.accepted === true && server.status?.isClean === true;
    if (!isFree && !this.#options.entropy.chance(0.1)) return;
    await client.for(ServerBinding).create({
      metadata: { name: uuid },
      spec: {
        metalMachineRef: { kind: "MetalMachine", namespace: "default", name: `machine-${serial.toLowerCase()}-${++this.#count}` },
      },
    });
    this.#options.tell(`binds ${serial}`);
  }

  async release(machine: SimMachine, client: Client): Promise<void> {
    const { uuid, serial } = machine.identity;
    if (!this.#options.ledger.bindings.has(uuid)) return;
    await client.for(ServerBinding).delete(uuid);
    this.#options.tell(`releases ${serial}`);
  }

  async remove(machine: SimMachine, client: Client): Promise<void> {
    if (!this.#options.ledger.servers.has(machine.identity.uuid)) return;
    await client.for(Server).delete(machine.identity.uuid);
    this.#options.tell(`deletes ${machine.identity.serial}`);
  }

  /** Takes back what keeps a machine from coming to rest. */
  async restore(machine: SimMachine): Promise<void> {
    const client = this.#options.client();
    const annotations = this.#options.ledger.servers.get(machine.identity.uuid)?.metadata.annotations;
    if (client === undefined) return;
    for (const name of [PAUSED, REQUEST_ANNOTATION]) {
      if (annotations?.[name] !== undefined) await this.#annotate(machine, client, name, null).catch(() => undefined);
    }
  }

  /** Writes a request on it. */
  async ask(machine: SimMachine, client: Client, request: string): Promise<void> {
    await this.#annotate(machine, client, REQUEST_ANNOTATION, request);
  }

  async #request(machine: SimMachine, client: Client): Promise<void> {
    const verb = VERBS[this.#options.entropy.below(VERBS.length)]!;
    await this.#annotate(machine, client, REQUEST_ANNOTATION, `${verb} ${++this.#count}`);
  }

  async #annotate(machine: SimMachine, client: Client, name: string, value: string | null): Promise<void> {
    const what = value === null ? `takes ${name} from` : `writes ${name}: "${value}" on`;
    await this.#patch(machine, client, what, { metadata: { annotations: { [name]: value } } });
  }

  async #patch(
    machine: SimMachine,
    client: Client,
    what: string,
    patch: Parameters<ReturnType<Client["for"]>["patch"]>[1],
  ): Promise<void> {
    if (!this.#options.ledger.servers.has(machine.identity.uuid)) return;
    await client.for(Server).patch(machine.identity.uuid, patch);
    this.#options.tell(`${what} ${machine.identity.serial}`);
  }

  #press(machine: SimMachine): void {
    this.#options.tell(`presses the button of ${machine.identity.serial}`);
    machine.pressButton();
  }
}
