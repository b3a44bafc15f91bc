/** Machines that run a model of Talos, and the API they answer with: what a control plane can see of them, and do to them. */
import { Fault } from "#std/fault.ts";
import type { TalosApi, TalosDial } from "#talos/api.ts";
import { EtcdModel } from "./etcd.ts";

export interface TalosMachine {
  readonly address: string;
  readonly hostname: string;
  /** It has power, and Talos is installed. */
  isUp: boolean;
  /** Ticks until it is. */
  delay: number;
  /** It is let go: what it has begun it may end, but it begins nothing. Between that and being switched off are moments, which nobody can guard. */
  isLeaving: boolean;
  member: string | undefined;
  hasData: boolean;
  version: string;
  config: string;
}

export class TalosMachines {
  readonly etcd = new EtcdModel();
  readonly machines = new Map<string, TalosMachine>();
  /** What was done, in order: `bootstrap 10.0.0.1`. */
  readonly calls: string[] = [];
  /** Checked before and after each call that changes something. */
  onChange: (call: string, hadQuorum: boolean) => void = () => {};

  add(hostname: string, address: string, delay = 0): TalosMachine {
    const machine: TalosMachine = {
      hostname,
      address,
      isUp: delay === 0,
      delay,
      isLeaving: false,
      member: undefined,
      hasData: false,
      version: "v1.13.2",
      config: "",
    };
    this.machines.set(address, machine);
    return machine;
  }

  /** Wiped and switched off: its member does not answer any more. */
  wipe(address: string): void {
    const machine = this.machines.get(address);
    if (machine !== undefined) this.power(machine, false);
    this.machines.delete(address);
  }

  power(machine: TalosMachine, isUp: boolean): void {
    machine.isUp = isUp;
    const member = machine.member === undefined ? undefined : this.etcd.members.get(machine.member);
    if (member !== undefined) member.isUp = isUp;
  }

  /** What Talos does by itself: machines come up, join etcd, and get their vote. */
  tick(): void {
    for (const machine of this.machines.values()) {
      if (machine.delay > 0 && --machine.delay === 0) this.power(machine, true);
      if (!machine.isUp) continue;
      const member = machine.member === undefined ? undefined : this.etcd.members.get(machine.member);
      try {
        if (member?.isLearner === true) this.etcd.promote(member.id);
        else if (!machine.hasData && !machine.isLeaving && this.etcd.hasQuorum) {
          machine.member = this.etcd.join(machine.hostname, machine.address);
          machine.hasData = true;
        }
      } catch (error) {
        if (!Fault.is(error)) throw error;
      }
    }
  }

  readonly dial: TalosDial = ({ endpoints }) => {
    const address = endpoints[0] ?? "";
    const at = async (): Promise<TalosMachine> => {
      const machine = this.machines.get(address);
      if (machine?.isUp === true) return machine;
      throw new Fault("talos.unreachable", `${address} does not answer`, { fault: "peer", retry: "soon" });
    };
    const member = async (): Promise<TalosMachine & { member: string }> => {
      const machine = await at();
      if (machine.member !== undefined && this.etcd.members.has(machine.member))
        return machine as TalosMachine & { member: string };
      throw new Fault("talos.not-ready", "etcd is not running", { fault: "peer", retry: "soon" });
    };
    const change = async (call: string, work: () => void): Promise<void> => {
      const had = this.etcd.hasQuorum;
      work();
      this.calls.push(call);
      this.onChange(call, had);
    };
    const unused = (): never => {
      throw new Error("no part of the model");
    };
    const api: TalosApi = {
      version: async () => ({ tag: (await at()).version, arch: "amd64", platform: "metal" }),
      bootstrap: async () => {
        const machine = await at();
        if (machine.hasData) return "already";
        await change(`bootstrap ${address}`, () => {
          machine.member = this.etcd.begin(machine.hostname, address);
          machine.hasData = true;
        });
        return "started";
      },
      services: async () => {
        const { member: id } = await at();
        const isMember = id !== undefined && this.etcd.members.has(id);
        const state = isMember ? "Running" : id === undefined ? "Preparing" : "Finished";
        return [
          { id: "etcd", state, isHealthy: isMember ? this.etcd.hasQuorum : undefined, message: "" },
          { id: "kubelet", state: "Running", isHealthy: true, message: "" },
        ];
      },
      etcdMembers: async () => {
        await member();
        return this.etcd.list().map(({ id, hostname, address: at, isLearner }) => ({
          id,
          hostname,
          isLearner,
          peerUrls: [`https://${at}:2380`],
          clientUrls: [`https://${at}:2379`],
        }));
      },
      etcdStatus: async () => {
        const { member: memberId } = await member();
        const { isLearner } = this.etcd.members.get(memberId)!;
        return { memberId, leader: this.etcd.leader, isLearner, raftIndex: 1n, raftAppliedIndex: 1n, errors: [] };
      },
      etcdForfeitLeadership: async () => ((await member()).member === this.etcd.leader ? "another" : ""),
      etcdLeave: async () => {
        const machine = await member();
        await change(`leave ${address}`, () => this.etcd.remove(machine.member));
      },
      etcdRemoveMember: async (id) => {
        await member();
        await change(`remove ${this.etcd.members.get(id)?.address}`, () => this.etcd.remove(id));
      },
      list: async () => ((await at()).hasData ? ["snap", "wal"] : []),
      events: unused,
      reset: unused,
      upgrade: async ({ image }) => {
        const machine = await at();
        await change(`upgrade ${address}`, () => {
          machine.version = image.split(":").at(-1)!;
          this.power(machine, false);
          machine.delay = 3;
        });
      },
      reboot: unused,
      applyConfiguration: async ({ config }) => {
        const machine = await at();
        await change(`apply ${address}`, () => void (machine.config = config));
        return { warnings: [], details: "" };
      },
      configuration: async () => (await at()).config,
      kubeconfig: unused,
      close: () => {},
    };
    return api;
  };
}
