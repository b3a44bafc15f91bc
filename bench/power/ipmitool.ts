/** ipmitool, one process for each BMC, as upstream has it and scripts do. */
import { execFileSync } from "node:child_process";
import { HOST, PASSWORD, USER } from "./place.ts";

/** Milliseconds of CPU time, all its processes together. */
export function ipmitool(ports: readonly number[]): number {
  const command = `ipmitool -I lanplus -C 17 -H ${HOST} -p "$port" -U ${USER} -E power status`;
  const script = `TIMEFORMAT='%U %S'; time for port in ${ports.join(" ")}; do [[ "$(${command})" == "Chassis Power is o"* ]] || exit 1; done`;
  const env = { ...process.env, IPMI_PASSWORD: PASSWORD };
  const printed = execFileSync("bash", ["-c", `{ ${script}; } 2>&1`], { env, encoding: "utf8" });
  const times = /([\d.]+) ([\d.]+)\s*$/.exec(printed);
  if (times === null) throw new Error(`ipmitool: ${printed}`);
  return (Number(times[1]) + Number(times[2])) * 1000;
}
