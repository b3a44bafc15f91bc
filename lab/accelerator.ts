/** KVM where it works. Having /dev/kvm does not say so: inside some virtual machines QEMU dies of it. */
import { spawn } from "node:child_process";

const KVM = ["-accel", "kvm"];
const EMULATION = ["-accel", "tcg,tb-size=256"];

let found: Promise<readonly string[]> | undefined;

/** QEMU's arguments for the best that works here; tried once. */
export function accelerator(): Promise<readonly string[]> {
  found ??= worksWithKvm().then((works) => (works ? KVM : EMULATION));
  return found;
}

/** Starts a machine, without running it, and ends it through its monitor. */
function worksWithKvm(): Promise<boolean> {
  const args = [...KVM, "-machine", "q35", "-cpu", "max", "-m", "64", "-nodefaults", "-display", "none", "-S", "-qmp", "stdio"];
  return new Promise((resolve) => {
    const probe = spawn("qemu-system-x86_64", args, { stdio: ["pipe", "ignore", "ignore"], timeout: 10_000 });
    probe.once("error", () => resolve(false));
    probe.once("close", (code) => resolve(code === 0));
    probe.stdin.on("error", () => undefined);
    probe.stdin.write('{"execute":"qmp_capabilities"}{"execute":"quit"}');
  });
}
