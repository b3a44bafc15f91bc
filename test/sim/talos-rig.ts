/** Simulated machines that run Talos, with a cluster's secrets and configurations, and nobody who manages them. */
import { parseCommandLine } from "#agent/steps/command-line.ts";
import { VirtualClock } from "#io/memory/clock.ts";
import { SeededEntropy } from "#io/memory/entropy.ts";
import { createMemoryPki } from "#io/memory/pki.ts";
import { createClient } from "#kube/client.ts";
import type { Client } from "#kube/client.ts";
import { parseKubeconfig } from "#kube/kubeconfig.ts";
import type { TalosApi, TalosTarget } from "#talos/api.ts";
import { parseContract } from "#talos/contract.ts";
import { printConfig } from "#talos/document/document.ts";
import { generateConfig } from "#talos/generate/generate.ts";
import type { GenerateOptions, MachineType } from "#talos/generate/options.ts";
import type { Secrets } from "#talos/secrets.ts";
import { makeSecrets } from "#talos/secrets.ts";
import { issueTalosClient } from "#talos/talosconfig.ts";
import type { Role } from "#talos/talosconfig.ts";
import { Life } from "../../sim/machine/life.ts";
import type { Installation } from "../../sim/talos/body.ts";
import { dialSimulated } from "../../sim/talos/dial.ts";
import { Talos } from "../../sim/talos/talos.ts";
import { TalosWorld } from "../../sim/talos/world.ts";
import { Web } from "../../sim/web.ts";

export class Machine {
  readonly address: string;
  readonly told: string[] = [];
  /** What `talos.config` answers; undefined: nothing. */
  config: string | undefined;
  asked: string[] = [];
  installed: Installation | undefined;
  starts = 0;
  life: Life | undefined;
  readonly #rig: Rig;
  readonly #number: number;

  constructor(rig: Rig, number: number) {
    this.#rig = rig;
    this.#number = number;
    this.address = `10.0.0.${number}`;
  }

  on(line = "talos.platform=metal talos.config=http://10.0.0.250/configdata?uuid="): void {
    const life = new Life(this.#rig.clock);
    this.life = life;
    this.starts++;
    const { address } = this;
    const erase = (): void => {
      const { installed } = this;
      this.installed = undefined;
      installed?.onErased();
    };
    const installed = (): Installation | undefined => this.installed;
    const talos = new Talos(this.#rig.world, {
      uuid: `00000000-0000-4000-8000-${String(this.#number).padStart(12, "0")}`,
      serial: `S${this.#number}`,
      mac: "52:54:00:00:00:01",
      life,
      address,
      line: parseCommandLine(line),
      version: "v1.13.0",
      disk: {
        get installed() {
          return installed();
        },
        install: (installation) => {
          this.installed = installation;
          return true;
        },
        erase,
      },
      fetch: async (url) => {
        this.asked.push(url.href);
        return this.config === undefined ? undefined : Buffer.from(this.config);
      },
      tell: (what) => void this.told.push(what),
      running: () => {},
      reboot: () => {
        this.off();
        this.on(line);
      },
      powerOff: () => this.off(),
    });
    void talos.run();
  }

  off(): void {
    this.life?.end();
    this.life = undefined;
  }

  /** As a wipe by the agent, with the machine off. */
  erase(): void {
    const { installed } = this;
    this.installed = undefined;
    installed?.onErased();
  }
}

export class Rig {
  readonly clock = new VirtualClock(Date.UTC(2030, 0, 1));
  readonly entropy = new SeededEntropy(7);
  readonly pki = createMemoryPki();
  readonly web = new Web({ seen: () => {}, now: () => this.clock.now() });
  readonly misfortunes: string[] = [];
  readonly world: TalosWorld;
  readonly machines: Machine[] = [];
  secrets!: Secrets;

  constructor() {
    this.world = new TalosWorld({
      clock: this.clock,
      entropy: this.entropy,
      pki: this.pki,
      listenAt: (address) => this.web.listenAt(address),
      isMachine: (address) => this.machines.some((machine) => machine.address === address),
      tell: () => {},
    });
    this.world.onMisfortune = (_cluster, what) => void this.misfortunes.push(what);
  }

  static async of(count: number): Promise<Rig> {
    const rig = new Rig();
    rig.secrets = await rig.makeSecrets();
    for (let i = 1; i <= count; i++) rig.machines.push(new Machine(rig, i));
    return rig;
  }

  makeSecrets(): Promise<Secrets> {
    return makeSecrets(parseContract("v1.13"), { pki: this.pki, entropy: this.entropy, now: this.clock.now() });
  }

  config(type: MachineType, more: Partial<GenerateOptions> = {}): string {
    const contract = parseContract("v1.13.2");
    const options = {
      clusterName: "c",
      endpoint: "https://10.0.0.100:6443",
      contract,
      secrets: this.secrets,
      installDisk: "/dev/sda",
      installImage: "ghcr.io/siderolabs/installer:v1.13.2",
    };
    return printConfig(generateConfig(type, { ...options, ...more }));
  }

  async target(machine: Machine, roles: readonly Role[] = ["os:admin"], secrets = this.secrets): Promise<TalosTarget> {
    const { os } = secrets.certs;
    const { certificate: crt, key } = await issueTalosClient(os, { pki: this.pki, now: this.clock.now() }, roles);
    return { endpoints: [machine.address], ca: os.certificate, crt, key };
  }

  dial(target: Parameters<ReturnType<typeof dialSimulated>>[0]): TalosApi {
    return dialSimulated({ world: this.world, clock: this.clock, entropy: this.entropy, loss: () => 0 })(target);
  }

  async api(machine: Machine, roles?: readonly Role[]): Promise<TalosApi> {
    return this.dial(await this.target(machine, roles));
  }

  /** Through the door that its kubeconfig names. */
  kubernetes(kubeconfig: string): Client {
    const transport = this.web.openFrom("10.0.0.200")(parseKubeconfig(kubeconfig));
    return createClient({ transport, clock: this.clock, entropy: this.entropy });
  }

  /** What it resolves to, while time passes. */
  async during<T>(work: Promise<T>): Promise<T> {
    let isOver = false;
    const watched = work.finally(() => (isOver = true));
    watched.catch(() => {});
    while (!isOver) await this.clock.advance(1);
    return await watched;
  }

  async pass(seconds: number): Promise<void> {
    await this.clock.advance(seconds * 1000);
  }

  /** A cluster of so many control plane machines, from nothing. */
  async cluster(controlPlanes: number, workers = 0): Promise<void> {
    for (const [i, machine] of this.machines.entries()) {
      if (i >= controlPlanes + workers) break;
      machine.config = this.config(i < controlPlanes ? "controlplane" : "worker");
      machine.on();
    }
    await this.pass(180);
    const api = await this.api(this.machines[0]!);
    await this.during(api.bootstrap());
    await this.pass(300);
  }
}
