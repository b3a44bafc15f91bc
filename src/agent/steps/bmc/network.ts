/** The BMC's side of logging in by network: channels that are open for it, cipher suites, the serial console. What is right stays untouched. */
import { admitsAnybody, levelsAfter } from "#decide/bmc-setup/cipher-suites.ts";
import type { LanChannel } from "#decide/bmc-setup/found.ts";
import { getChannelAccess, setChannelAccess } from "#wire/ipmi/app/channel.ts";
import { PRIVILEGE } from "#wire/ipmi/constants.ts";
import {
  encodeCipherPrivileges,
  LAN_PARAMETER,
  readCipherEntries,
  readCipherPrivileges,
} from "#wire/ipmi/transport/lan-parameter.ts";
import { getLanParameter, setLanParameter } from "#wire/ipmi/transport/lan.ts";
import { getSolParameter, setSolParameter, SOL_PARAMETER } from "#wire/ipmi/transport/sol.ts";
import type { Asking } from "./asking.ts";
import { isRefusal } from "./asking.ts";

/** Parameter 0 (§23.2, §26.3). */
const SET_COMPLETE = 0;
const SET_IN_PROGRESS = 1;

/** Resolves to what people should know. A BMC may refuse any of it and let us in all the same: the proof is to log in. */
export async function openNetwork(asking: Asking, channels: readonly LanChannel[]): Promise<string[]> {
  const remarks: string[] = [];
  for (const { number } of channels) {
    await openChannel(asking, number);
    if (await openSuites(asking, number)) {
      remarks.push(`channel ${number} has cipher suite 0 open, which lets anybody in without a password`);
    }
    await openConsole(asking, number);
  }
  return remarks;
}

async function openChannel(asking: Asking, channel: number): Promise<void> {
  for (const setting of ["stored", "volatile"] as const) {
    const access = await asking.tryTo(getChannelAccess, { channel, setting });
    if (access === undefined) continue;
    const isOpen = access.mode === "always" || access.mode === "shared";
    if (isOpen && access.privilege >= PRIVILEGE.administrator) continue;
    const opened = { ...access, mode: isOpen ? access.mode : "always", privilege: PRIVILEGE.administrator } as const;
    await asking.tryTo(setChannelAccess, { channel, setting, access: opened });
  }
}

/** Resolves to whether suite 0 lets anybody in. */
async function openSuites(asking: Asking, channel: number): Promise<boolean> {
  const read = async (parameter: number): Promise<Uint8Array | undefined> =>
    await asking.tryTo(getLanParameter, { channel, parameter });
  const [count, entries, privileges] = [
    await read(LAN_PARAMETER.cipherSuiteCount),
    await read(LAN_PARAMETER.cipherSuites),
    await read(LAN_PARAMETER.cipherSuitePrivileges),
  ];
  if (count === undefined || entries === undefined || privileges === undefined) return false;
  let ids: number[];
  let levels: number[];
  try {
    ids = readCipherEntries(entries, count[0] ?? 0);
    levels = readCipherPrivileges(privileges);
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
  const after = levelsAfter(ids, levels);
  if (after !== undefined) {
    await changing(asking, setLanParameter, channel, () =>
      asking.tryTo(setLanParameter, {
        channel,
        parameter: LAN_PARAMETER.cipherSuitePrivileges,
        data: encodeCipherPrivileges(after),
      }),
    );
  }
  return admitsAnybody(ids, levels);
}

async function openConsole(asking: Asking, channel: number): Promise<void> {
  const enabled = await asking.tryTo(getSolParameter, { channel, parameter: SOL_PARAMETER.enable });
  if (enabled === undefined || ((enabled[0] ?? 0) & 1) !== 0) return;
  await changing(asking, setSolParameter, channel, () =>
    asking.tryTo(setSolParameter, { channel, parameter: SOL_PARAMETER.enable, data: [1] }),
  );
}

/** Between "set in progress" and "set complete", which BMCs need not know. */
async function changing(
  asking: Asking,
  about: typeof setLanParameter,
  channel: number,
  change: () => Promise<unknown>,
): Promise<void> {
  await asking.tryTo(about, { channel, parameter: 0, data: [SET_IN_PROGRESS] });
  try {
    await change();
  } finally {
    await asking.tryTo(about, { channel, parameter: 0, data: [SET_COMPLETE] });
  }
}
