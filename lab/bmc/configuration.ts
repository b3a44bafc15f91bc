/** What OpenIPMI's `ipmi_sim` is told of a machine's BMC: ipmi_lan(5), ipmi_sim_cmd(5). */
import type { BmcDescription, Description } from "../description.ts";

/** Where, on its own address, the machine's system interface is plugged in. */
const SYSTEM_INTERFACE = 9002;
/** Where, on its own loopback interface, it finds the machine's serial line. */
export const SERIAL_PORT = 9003;

export function addressOf({ host }: BmcDescription): string {
  return `10.77.0.${host}`;
}

export function systemInterfaceOf(bmc: BmcDescription): string {
  return `${addressOf(bmc)}:${SYSTEM_INTERFACE}`;
}

/** `hook`: command line of what carries out and answers; it gets `chassis` or `lan`, and then what is wanted. */
export function lanConfiguration({ name, uuid = "" }: Description, bmc: BmcDescription, hook: string): string {
  const address = addressOf(bmc);
  // Not `none`: it would take any password.
  const allowed = ["callback", "user", "operator", "admin"].map((level) => `  allowed_auths_${level} md5`);
  return `name "${name}"
set_working_mc 0x20
startlan 1
  addr ${address} 623
  priv_limit admin
${allowed.join("\n")}
  guid ${guidOf(uuid)}
  lan_config_program "${hook} lan"
endlan
chassis_control "${hook} chassis"
serial 15 ${address} ${SYSTEM_INTERFACE} codec VM
sol "tcp:127.0.0.1:${SERIAL_PORT}" 115200
user 1 false "" "" user 10 md5
user 2 true "${bmc.user}" "${bmc.password}" admin 10 md5
`;
}

/** One management controller, the BMC, with an event log: IPMI 2.0, device 0, firmware 9.08, of MontaVista. */
export const COMMANDS = `mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr
sel_enable 0x20 1000 0x0a
mc_enable 0x20
`;

/** The machine's UUID in the order of IPMI 2.0 §20.8: the last byte of what people write comes first. */
function guidOf(uuid: string): string {
  return Buffer.from(uuid.replaceAll("-", "").padStart(32, "0"), "hex").reverse().toString("hex");
}
