/** A simulated power API of a virtual machine, as Talos' QEMU launcher has it. */
import type { Handler, Outgoing } from "#io/serve.ts";
import type { PowerAction, PowerState } from "#decide/power.ts";

export interface HttpPowerMachine {
  power(): PowerState;
  command(action: PowerAction): void;
  /** The next start, and that one only, is from the network. */
  setPxeOnce(): void;
}

export function createHttpPowerHandler(machine: HttpPowerMachine): Handler {
  const verbs: Readonly<Record<string, () => void>> = {
    "POST /poweron": () => machine.command("on"),
    "POST /poweroff": () => machine.command("off"),
    // A reboot starts what is off.
    "POST /reboot": () => machine.command(machine.power() === "off" ? "on" : "reset"),
    "POST /pxeboot": () => machine.setPxeOnce(),
  };
  return async ({ method, target }) => {
    if (method === "GET" && target === "/status") return answer(200, JSON.stringify({ PoweredOn: machine.power() === "on" }));
    const verb = verbs[`${method} ${target}`];
    if (verb === undefined) return answer(404, "");
    verb();
    return answer(200, "");
  };
}

function answer(status: number, text: string): Outgoing {
  return { status, headers: { "content-type": "application/json" }, body: text === "" ? [] : [Buffer.from(text)] };
}
