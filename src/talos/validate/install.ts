/** Where Talos is installed, and with which kernel arguments (facts §5.8). */
import { at } from "../document/document.ts";
import type { Subject } from "./subject.ts";
import { isEmpty } from "./subject.ts";

export function installProblems({ legacy, options: { mode } }: Subject): string[] {
  const install = at(legacy, "machine", "install");
  if (install === undefined || install === null) return [];
  const field = (name: string) => at(legacy, "machine", "install", name);
  const hasDisk = !isEmpty(field("disk")) || !isEmpty(field("diskSelector"));
  return [
    ...(mode === "metal" && !hasDisk ? ["machine.install: it needs disk or diskSelector"] : []),
    ...(!isEmpty(field("extraKernelArgs")) && field("grubUseUKICmdline") === true
      ? ["machine.install.extraKernelArgs: the arguments of the image are used (grubUseUKICmdline), so there can be no others"]
      : []),
  ];
}
