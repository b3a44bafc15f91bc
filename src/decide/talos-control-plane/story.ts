/** What people are told of what was done to a control plane, as Events of it. */
import type { ControlPlaneEffect } from "./machine.ts";

export interface Told {
  readonly reason: string;
  readonly message: string;
}

/** Undefined for what is nobody's news. */
export function toldOf(effect: ControlPlaneEffect): Told | undefined {
  switch (effect.do) {
    case "create":
      return { reason: "MachineCreated", message: `Machine ${effect.machine.name} is made` };
    case "delete":
      return { reason: "MachineDeleted", message: `Machine ${effect.machine} is deleted` };
    case "bootstrap":
      return { reason: "Bootstrapped", message: `Machine ${effect.seat.machine} was told to bring up etcd` };
    case "leave":
      return { reason: "EtcdMemberLeft", message: `Machine ${effect.seat.machine} left etcd (member ${effect.member})` };
    case "remove-member":
      return {
        reason: "EtcdMemberRemoved",
        message: `Member ${effect.member} of Machine ${effect.gone.machine} was removed from etcd`,
      };
    case "kubeconfig":
      return { reason: "KubeconfigMade", message: `A kubeconfig for ${effect.server} was made` };
    case "upgrade-kubernetes": {
      const what = effect.part === "kubelet" ? "kubelet" : "control plane";
      return {
        reason: "UpgradedInPlace",
        message: `Machine ${effect.seat.machine} was told to run the ${what} of ${effect.version}`,
      };
    }
    case "upgrade-talos":
      return { reason: "UpgradedInPlace", message: `Machine ${effect.seat.machine} was told to upgrade to ${effect.installer}` };
    default:
      return undefined;
  }
}
