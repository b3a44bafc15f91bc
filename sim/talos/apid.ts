/** The API of a simulated Talos, as `talos/api.ts` has it: who may call what, and what comes of it (facts §6.6). */
import { issueKubernetesAdmin, printKubeconfig } from "#talos/kubeconfig.ts";
import type { TalosApi } from "#talos/api.ts";
import type { TalosFault } from "#main/talos/faults.ts";
import { talosFault } from "#main/talos/faults.ts";
import type { Fault } from "#std/fault.ts";
import type { ControlPlane } from "./control-plane.ts";
import { EtcdRefusal } from "./etcd.ts";
import { checkConfig, versionOf } from "./check.ts";
import { isControlPlane, pairOf } from "./facts.ts";
import type { Talos } from "./talos.ts";

export type Calls = Omit<TalosApi, "close" | "events"> & { readonly events: TalosApi["events"] };

/** Least role for a call; what is not here needs `os:admin`. */
const ROLES: Readonly<Partial<Record<keyof Calls, string>>> = {
  version: "os:reader",
  services: "os:reader",
  etcdMembers: "os:reader",
  etcdStatus: "os:reader",
  events: "os:reader",
  list: "os:reader",
  reboot: "os:operator",
};
const RANKS = ["os:reader", "os:operator", "os:admin"];
const MAINTENANCE: ReadonlySet<keyof Calls> = new Set(["version", "applyConfiguration", "reset", "upgrade"]);

export function mayCall(roles: readonly string[], name: keyof Calls): boolean {
  const needed = RANKS.indexOf(ROLES[name] ?? "os:admin");
  return roles.some((role) => RANKS.indexOf(role) >= needed);
}

/** Milliseconds: an answer leaves before the machine does; shutting down; erasing; pulling and writing another version. */
const ANSWER = 500;
const SHUTDOWN = 10_000;
const ERASING = 20_000;
const UPGRADING = 45_000;

/** Whoever asks may. Rejects with the faults of `talos/api.ts`. */
export function callsOf(talos: Talos): Calls {
  const { body, services, events, world } = talos;
  const control = (call: string): ControlPlane => {
    if (talos.controlPlane === undefined) throw refused(call, "etcd is only available on control plane nodes");
    return talos.controlPlane;
  };
  /** One sequence at a time: the second is refused, whichever it is. */
  const needUnlocked = (call: string): void => {
    if (talos.isLeaving) throw fault("talos.not-ready", call, "failed to acquire sequence lock");
  };
  /** etcd says no in words of its own. */
  const asked = async <T>(call: string, act: () => T): Promise<T> => {
    try {
      return act();
    } catch (error) {
      if (error instanceof EtcdRefusal) throw fault("talos.not-ready", call, error.message);
      throw error;
    }
  };
  return {
    version: async () => ({ tag: talos.installation?.version ?? body.version, arch: "amd64", platform: "metal" }),
    bootstrap: async () => {
      if (talos.controlPlane === undefined) throw refused("Bootstrap", "bootstrap is only available on control plane nodes");
      const etcd = services.get("etcd")?.state;
      if (etcd === undefined) throw fault("talos.not-ready", "Bootstrap", "bootstrap is not available yet");
      return talos.controlPlane.bootstrap();
    },
    services: async () => services.all(),
    etcdMembers: () => asked("EtcdMemberList", () => control("EtcdMemberList").members()),
    etcdStatus: () => asked("EtcdStatus", () => control("EtcdStatus").status()),
    etcdForfeitLeadership: () => asked("EtcdForfeitLeadership", () => control("EtcdForfeitLeadership").forfeit()),
    etcdLeave: () => asked("EtcdLeaveCluster", () => control("EtcdLeaveCluster").leave()),
    etcdRemoveMember: (id) => asked("EtcdRemoveMemberByID", () => control("EtcdRemoveMemberByID").remove(id)),
    list: async (path) =>
      path.replace(/\/+$/, "") === "/var/lib/etcd/member" && talos.controlPlane?.hasData === true ? ["snap", "wal"] : [],
    events: ({ tail = 0, signal } = {}) => {
      const ended = new Promise<void>((resolve) => void body.life.onEnd(resolve));
      return events.follow(tail, signal, ended);
    },
    reset: async ({ graceful, reboot }) => {
      needUnlocked("Reset");
      if (graceful && talos.controlPlane?.member !== undefined) await asked("Reset", () => talos.controlPlane!.leave());
      talos.leave("reset", ANSWER + ERASING, () => {
        body.disk.erase();
        if (reboot) body.reboot();
        else body.powerOff();
      });
    },
    upgrade: async ({ image, stage = false }) => {
      const version = versionOf(image);
      const { installation } = talos;
      if (version === undefined) throw refused("Upgrade", "the image has no version for a tag");
      if (installation === undefined) throw fault("talos.not-ready", "Upgrade", "nothing is installed");
      needUnlocked("Upgrade");
      if (stage) installation.staged = version;
      talos.leave("upgrade", ANSWER + (stage ? SHUTDOWN : UPGRADING), () => {
        installation.version = version;
        body.reboot();
      });
    },
    reboot: async () => {
      needUnlocked("Reboot");
      talos.leave("reboot", ANSWER + SHUTDOWN, () => body.reboot());
    },
    applyConfiguration: async ({ config, mode = "auto", dryRun = false }) => {
      const facts = await readOrRefuse(config);
      if (facts === undefined) throw refused("ApplyConfiguration", "the configuration has no machine section");
      const needsReboot =
        mode === "reboot" || (talos.facts !== undefined && isControlPlane(facts) !== isControlPlane(talos.facts));
      if (needsReboot && mode === "no-reboot")
        throw refused("ApplyConfiguration", "this configuration change can't be applied in immediate mode");
      const details = needsReboot ? "Applied configuration with a reboot" : "Applied configuration without a reboot";
      if (dryRun) return { warnings: [], details: `Dry run summary:\n${details}` };
      if (talos.isMaintained) talos.apply({ text: config, facts });
      else if (mode === "staged" || needsReboot) talos.installation!.config = config;
      else talos.configure(config, facts);
      if (needsReboot && !talos.isMaintained) talos.leave("reboot", ANSWER + SHUTDOWN, () => body.reboot());
      return { warnings: [], details };
    },
    configuration: async () => talos.installation?.config ?? "",
    kubeconfig: async () => {
      const { pki, clock } = world.ports;
      control("Kubeconfig");
      const { kubernetes, clusterName, endpoint } = talos.facts!;
      const client = await issueKubernetesAdmin(pairOf(kubernetes)!, { pki, now: clock.now() });
      return printKubeconfig({ clusterName, server: endpoint, ca: kubernetes.certificate, client });
    },
  };
}

async function readOrRefuse(config: string): Promise<ReturnType<typeof checkConfig>> {
  try {
    return checkConfig(config);
  } catch {
    // What is wrong with it may quote it.
    throw refused("ApplyConfiguration", "the configuration is not valid");
  }
}

/** What a machine in maintenance answers, and to whom it does not. */
export function guard(talos: Talos, name: keyof Calls): void {
  if (talos.isMaintained && !MAINTENANCE.has(name)) throw refused(name, "API is not implemented in maintenance mode");
}

function refused(call: string, why: string): Fault {
  return fault("talos.refused", call, why);
}

function fault(kind: TalosFault, call: string, why: string): Fault {
  return talosFault(kind, `${call}: ${why}`);
}
