/**
 * One start of a simulated Talos (facts §6): from the configuration on its disk if there is one, however it was booted; else it asks for one,
 * installs itself and starts again; without anybody to ask it waits in maintenance.
 */
import { argumentOf } from "#agent/steps/command-line.ts";
import { acquire } from "./acquire.ts";
import type { Acquired } from "./acquire.ts";
import type { Body, Installation } from "./body.ts";
import type { SimCluster } from "./cluster.ts";
import { ControlPlane } from "./control-plane.ts";
import { checkConfig, versionOf } from "./check.ts";
import { isControlPlane } from "./facts.ts";
import type { MachineFacts } from "./facts.ts";
import { Kubelet } from "./kubelet.ts";
import { Events, Services } from "./services.ts";
import type { TalosWorld } from "./world.ts";

/** Milliseconds. */
const INSTALLING = 60_000;
const SERVICES = 8_000;
const TRUSTD = 3_000;
/** Services that run on every machine, and that nobody could miss here. */
const HOLLOW = ["auditd", "containerd", "cri", "dashboard", "machined", "syslogd", "udevd"];

export class Talos {
  readonly world: TalosWorld;
  readonly body: Body;
  readonly services = new Services();
  readonly events: Events;
  /** Undefined in maintenance. */
  facts: MachineFacts | undefined;
  installation: Installation | undefined;
  hostname: string;
  controlPlane: ControlPlane | undefined;
  #isLeaving = false;
  #kubelet: Kubelet | undefined;
  #apply: ((acquired: Acquired) => void) | undefined;

  constructor(world: TalosWorld, body: Body) {
    this.world = world;
    this.body = body;
    this.events = new Events((event) => world.onEvent(body.uuid, event));
    this.hostname = argumentOf(body.line, "talos.hostname") ?? stableName(body.uuid);
  }

  /** Without a configuration: whoever comes may apply one. */
  get isMaintained(): boolean {
    return this.#apply !== undefined;
  }

  /** Does not come back. */
  async run(): Promise<void> {
    const { installed } = this.body.disk;
    if (installed !== undefined) return await this.#start(installed);
    const template = argumentOf(this.body.line, "talos.config");
    const acquired = template === undefined || template === "none" ? await this.#maintain() : await this.#acquire(template);
    await this.#install(acquired);
  }

  /** Takes a configuration in maintenance. */
  apply(acquired: Acquired): void {
    this.#apply?.(acquired);
    this.#apply = undefined;
  }

  /** Keeps a configuration; what it changes of the node follows. */
  configure(text: string, facts: MachineFacts): void {
    this.installation!.config = text;
    this.facts = facts;
    this.#kubelet?.restart();
  }

  /** A sequence runs, and is the last of this start. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Once what is under way has been answered. */
  leave(sequence: "reboot" | "reset" | "upgrade", after: number, end: () => void): void {
    const { life, tell } = this.body;
    this.#isLeaving = true;
    this.events.sequence(sequence, "start");
    tell(`${sequence} is asked of it`);
    life.after(after, end);
  }

  #acquire(template: string): Promise<Acquired> {
    const { entropy } = this.world.ports;
    let said = "";
    return acquire(
      this.body,
      template,
      () => entropy.fraction(),
      (kind, problem) => {
        this.events.configProblem(kind, problem);
        if (problem !== said) this.body.tell(`has no configuration yet: ${problem}`);
        said = problem;
      },
    );
  }

  #maintain(): Promise<Acquired> {
    const { body } = this;
    body.tell("waits in maintenance for a configuration");
    const applied = new Promise<Acquired>((resolve) => (this.#apply = resolve));
    this.world.answer(body.address, this);
    return body.life.live(applied);
  }

  async #install({ text, facts }: Acquired): Promise<void> {
    const { body } = this;
    const version = versionOf(facts.install?.image ?? "") ?? body.version;
    const installation: Installation = { version, config: text, staged: undefined, member: undefined, onErased: () => {} };
    if (facts.install === undefined) {
      body.tell("has its configuration, which says nothing of installing");
      return await this.#start(installation);
    }
    body.tell(`has its configuration, and installs ${version}`);
    this.events.sequence("install", "start");
    await body.life.sleep(INSTALLING);
    const isInstalled = body.disk.install(installation, facts.install.disk);
    // It starts again in either case, and asks anew.
    body.tell(isInstalled ? "is installed" : `cannot install: there is no ${facts.install.disk ?? "disk"}`);
    body.reboot();
  }

  async #start(installation: Installation): Promise<void> {
    const { body, world, services, events } = this;
    if (installation.staged !== undefined) installation.version = installation.staged;
    installation.staged = undefined;
    this.installation = installation;
    const facts = checkConfig(installation.config)!;
    this.facts = facts;
    this.hostname = (facts.hostname ?? this.hostname).toLowerCase().split(".", 1)[0]!;
    body.running();
    events.sequence("boot", "start");
    events.addresses(this.hostname, [body.address]);
    for (const id of HOLLOW) services.set(id, "Running", "Health check successful");
    services.set("apid", "Waiting", "Waiting for api certificates");
    await body.life.sleep(SERVICES);
    if (!isControlPlane(facts)) while (!world.hasTrustd(facts)) await body.life.sleep(TRUSTD);
    services.set("apid", "Running", "Health check successful");
    if (isControlPlane(facts)) services.set("trustd", "Running", "Health check successful");
    world.answer(body.address, this);
    events.sequence("boot", "stop");
    body.tell(`is ${this.hostname}, ${isControlPlane(facts) ? "a control plane machine" : "a worker"} of ${facts.clusterName}`);
    const cluster = world.clusterOf(facts);
    if (isControlPlane(facts)) this.#control(cluster, installation);
    this.#kubelet = this.#makeKubelet(cluster, installation);
    await this.#kubelet.run();
  }

  #control(cluster: SimCluster, installation: Installation): void {
    installation.onErased = () => {
      if (installation.member !== undefined) this.world.erased(cluster, installation.member);
    };
    this.controlPlane = new ControlPlane(this, cluster, installation);
    void this.controlPlane.run();
  }

  #makeKubelet(cluster: SimCluster, { version }: Installation): Kubelet {
    const { life, address, uuid } = this.body;
    return new Kubelet({
      name: this.hostname,
      address,
      uuid,
      life,
      cluster,
      osImage: `Talos (${version})`,
      facts: () => this.facts!,
      tell: (state, message) => this.services.set("kubelet", state, message),
    });
  }
}

/** `talos-abc-def`, from what names the machine. */
function stableName(uuid: string): string {
  const number = BigInt(`0x${uuid.replaceAll("-", "")}`) % 36n ** 6n;
  const text = number.toString(36).padStart(6, "0");
  return `talos-${text.slice(0, 3)}-${text.slice(3, 6)}`;
}
