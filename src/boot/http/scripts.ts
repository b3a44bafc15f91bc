/** The scripts that machines run. All are values of `wire/ipxe`, so that no text of a resource or of a request becomes a command. */
import { INITRD } from "#decide/boot/arguments.ts";
import type { DiskMethod } from "#decide/boot/decision.ts";
import type { Duration } from "#std/duration.ts";
import type { Argument } from "#wire/ipxe/argument.ts";
import { encode } from "#wire/ipxe/encode.ts";
import type { Command, Line, Script, Text } from "#wire/ipxe/script.ts";

const CTRL_B = 0x02;
const ROUNDS = 10;
const LINK_TIME = 5_000;
/** Before a machine asks again after something went wrong that only a human can have caused. */
const PATIENCE = 10_000;
/** BIOS counts disks from 0x80, UEFI from 0: there 0x80 is none (ipxe#1334). */
const FIRST_DISK = { bios: 0x80, uefi: 0 } as const;

/** What Environments may have in kernel arguments, filled in by the machine. */
const KERNEL_SETTINGS: readonly string[] = (
  "uuid serial hostname domain asset manufacturer product mac ip next-server buildarch " +
  "net0/mac net0/mac:hexhyp net0/ip netX/mac netX/mac:hexhyp netX/ip"
).split(" ");

export interface EntryOptions {
  /** Where Sidero is, `http://192.0.2.1:8081`; settings such as `${next-server}` may stand in it. */
  readonly base: Text;
  /** How long to offer a shell to whoever presses Ctrl-B; absent: not at all, it costs this time at every boot. */
  readonly prompt?: Duration;
  /** False for an iPXE that may be older than `iflinkwait` (2020): then interfaces without a cable cost more time. */
  readonly waitsForLink: boolean;
}

/**
 * Where a machine in iPXE begins: as `/boot.ipxe`, as `autoexec.ipxe`, or embedded in a build of iPXE. The
 * interface that is up already is asked first; then one after the other, with an address of its own from DHCP.
 */
export function entryScript({ base, prompt, waitsForLink }: EntryOptions): string {
  const shell: Line[] =
    prompt === undefined
      ? []
      : [
          {
            run: { do: "prompt", key: CTRL_B, timeout: prompt, text: "Press Ctrl-B for the iPXE command line ..." },
            onSuccess: { do: "shell" },
            onFailure: "continue",
          },
        ];
  const device: Text = ["net", { setting: "idx" }];
  return encode([
    ...shell,
    { run: { do: "isset", text: [{ setting: "netX/ip" }] }, onFailure: { do: "goto", label: "walk" } },
    { run: ask(base, "netX"), onFailure: "continue" },
    { label: "walk" },
    { run: { do: "ifstat" }, onFailure: "continue" },
    { run: { do: "set", setting: "round:int32", text: "0" } },
    { label: "round" },
    { run: { do: "set", setting: "idx:int32", text: "0" } },
    { label: "nic" },
    { run: { do: "isset", text: [{ setting: "net${idx}/mac" }] }, onFailure: { do: "goto", label: "exhausted" } },
    { run: { do: "ifclose" }, onFailure: "continue" },
    {
      run: { do: "iflinkwait", device, timeout: LINK_TIME },
      // DHCP waits for the link as well, only longer.
      onFailure: waitsForLink ? { do: "goto", label: "next" } : "continue",
    },
    { run: { do: "dhcp", device }, onFailure: { do: "goto", label: "next" } },
    { run: { do: "route" }, onFailure: "continue" },
    { run: ask(base, "net${idx}"), onFailure: "continue" },
    { label: "next" },
    { run: { do: "inc", setting: "idx" }, onSuccess: { do: "goto", label: "nic" } },
    { label: "exhausted" },
    { run: { do: "inc", setting: "round" } },
    {
      run: { do: "iseq", left: [{ setting: "round" }], right: String(ROUNDS) },
      onSuccess: { do: "goto", label: "hopeless" },
      onFailure: "continue",
    },
    say("no interface has led to Sidero, trying them all again"),
    { run: { do: "sleep", time: 1_000 }, onFailure: { do: "goto", label: "round" } },
    { run: { do: "goto", label: "round" } },
    { label: "hopeless" },
    say("no interface has led to Sidero, rebooting in 5 s"),
    { run: { do: "sleep", time: 5_000 }, onFailure: "continue" },
    { run: { do: "reboot" } },
  ]);
}

/** Upstream's query, and `platform`: which way to the disk there is depends on it. */
function ask(base: Text, device: string): Command {
  const before = typeof base === "string" ? [base] : base;
  return {
    do: "chain",
    replace: true,
    autofree: true,
    uri: [
      ...before,
      "/ipxe?uuid=",
      { setting: "uuid" },
      "&mac=",
      { setting: `${device}/mac:hexhyp` },
      "&domain=",
      { setting: "domain:uristring" },
      "&hostname=",
      { setting: "hostname:uristring" },
      "&serial=",
      { setting: "serial:uristring" },
      "&arch=",
      { setting: "buildarch" },
      "&platform=",
      { setting: "platform" },
    ],
  };
}

export interface OsBoot {
  /** `/env/default`: files are looked for relative to the host the script came from. */
  readonly path: string;
  readonly arguments: readonly Argument[];
  readonly because: string;
  /** Path and query at which the machine asks again when the files do not come. */
  readonly again: string;
}

/** Throws `caller` Faults `ipxe.text` and `ipxe.argument` for arguments that no script can have. */
export function osScript({ path, arguments: all, because, again }: OsBoot): string {
  const failed = { do: "goto", label: "failed" } as const;
  return encode([
    say(because),
    { run: { do: "imgfree" }, onFailure: "continue" },
    {
      run: { do: "kernel", name: "vmlinuz", uri: `${path}/vmlinuz`, arguments: all, settings: KERNEL_SETTINGS },
      onFailure: failed,
    },
    { run: { do: "initrd", name: initrdName(all), uri: `${path}/${INITRD}` }, onFailure: failed },
    { run: { do: "boot" }, onFailure: failed },
    { label: "failed" },
    say("that failed, asking again in 10 s"),
    { run: { do: "imgfree" }, onFailure: "continue" },
    ...askAgain(again, PATIENCE),
  ]);
}

/** Under UEFI the kernel looks for its initial RAM disk by the name it was told, which an Environment may have chosen. */
function initrdName(all: readonly Argument[]): string {
  const told = all.findLast(({ key }) => key === "initrd")?.value ?? "";
  return /^[\w.-]+$/.test(told) ? told : INITRD;
}

/** Says what it waits for, and asks again: a wait is no failure of the network. */
export function waitScript(waitingFor: string, retry: Duration, again: string): string {
  return encode([say(`waiting: ${waitingFor}`), ...askAgain(again, retry)]);
}

/** Without end: Sidero may be away for a while. Ctrl-B interrupts. */
function askAgain(again: string, time: Duration): Line[] {
  return [
    { label: "again" },
    {
      run: {
        do: "prompt",
        key: CTRL_B,
        timeout: time,
        text: `asking again in ${time / 1000} s, Ctrl-B for the iPXE command line`,
      },
      onSuccess: { do: "shell" },
      onFailure: "continue",
    },
    { run: { do: "chain", replace: true, autofree: true, uri: again }, onFailure: { do: "goto", label: "again" } },
  ];
}

/**
 * To the disk. `http-404` has no script. Under UEFI a status other than 0 makes the firmware go on with its next boot entry, where 0 makes some
 * (Dell, Lenovo) stop in their menu (ipxe#1186); a BIOS goes on either way. iPXE itself knows best what it runs on.
 */
export function diskScript(method: Exclude<DiskMethod, "http-404">, because: string): string {
  const leave: Line[] = [{ run: isUefi, onSuccess: { do: "exit", status: 1 }, onFailure: "continue" }, { run: { do: "exit" } }];
  if (method === "ipxe-exit") return encode([say(because), ...leave]);
  return encode([
    say(because),
    { run: isUefi, onSuccess: { do: "goto", label: "uefi" }, onFailure: "continue" },
    { run: { do: "sanboot", drive: FIRST_DISK.bios }, onFailure: { do: "goto", label: "failed" } },
    { label: "uefi" },
    { run: { do: "sanboot", drive: FIRST_DISK.uefi }, onFailure: "continue" },
    { label: "failed" },
    say("the disk does not boot, leaving it to the firmware"),
    ...leave,
  ]);
}

/** What cannot be helped from here: the firmware may have something else to boot. */
export function refusalScript(because: string): string {
  return encode([
    say(`nothing to boot: ${because}`),
    { run: { do: "sleep", time: PATIENCE }, onFailure: "continue" },
    { run: { do: "exit", status: 1 } },
  ]);
}

const isUefi: Command = { do: "iseq", left: [{ setting: "platform" }], right: "efi" };

function say(text: string): Script[number] {
  return { run: { do: "echo", text: `Sidero: ${text}` } };
}
