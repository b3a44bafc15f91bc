import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { type Argument, formatArguments, parseArguments } from "#wire/ipxe/argument.ts";
import { runModel as runScript } from "../../../test/wire/ipxe-model.ts";
import { diskScript, entryScript, osScript, refusalScript, waitScript } from "./scripts.ts";

const AGAIN = "/ipxe?uuid=4c4c4544-0042-3510-8054-b4c04f333732&arch=amd64";

function machine(...nics: string[]): Map<string, string> {
  return new Map([
    ["uuid", "4c4c4544-0042-3510-8054-b4c04f333732"],
    ["buildarch", "x86_64"],
    ["platform", "efi"],
    ...nics.map((mac, i): [string, string] => [`net${i}/mac`, mac]),
  ]);
}

/** Nobody presses a key, and what boots or is replaced does not come back. */
function runModel(
  script: string,
  settings = new Map<string, string>(),
  fails: (argv: readonly string[]) => boolean = () => false,
) {
  return runScript(script, settings, (argv) => {
    if (argv[0] === "prompt" || fails(argv)) return "fails";
    return ["chain", "boot", "reboot"].includes(argv[0]!) ? "ends" : undefined;
  });
}

/** Commands of that name, as the model ran them. */
function ran(commands: readonly string[][], name: string): string[] {
  return commands.filter((argv) => argv[0] === name).map((argv) => argv.slice(1).join(" "));
}

const base = "http://10.0.0.1:8081";

test("the entry asks first over the interface that is up", () => {
  const settings = machine("52:54:00:00:00:01")
    .set("netX/ip", "10.0.0.7")
    .set("netX/mac", "52:54:00:00:00:01")
    .set("serial", "S1");
  const { commands } = runModel(entryScript({ base, waitsForLink: false }), settings);
  assert.deepEqual(ran(commands, "dhcp"), []);
  assert.deepEqual(ran(commands, "chain"), [
    `--replace --autofree ${base}/ipxe?uuid=${settings.get("uuid")}&mac=52:54:00:00:00:01&domain=&hostname=&serial=S1&arch=x86_64&platform=efi`,
  ]);
});

test("the entry walks the interfaces: no link, no address, no answer, and on to the next", () => {
  const settings = machine("52:54:00:00:00:01", "52:54:00:00:00:02", "52:54:00:00:00:03", "52:54:00:00:00:04");
  const script = entryScript({ base, waitsForLink: true });
  const { commands } = runModel(script, settings, (argv) => {
    const text = argv.join(" ");
    return /^iflinkwait .* net0$|^dhcp net1$/.test(text) || (argv[0] === "chain" && text.includes(":03&"));
  });
  assert.deepEqual(ran(commands, "dhcp"), ["net1", "net2", "net3"]);
  const chains = ran(commands, "chain");
  assert.deepEqual(
    chains.map((uri) => /mac=([^&]*)/.exec(uri)![1]),
    ["52:54:00:00:00:03", "52:54:00:00:00:04"],
  );
  assert.equal(ran(commands, "prompt").length, 0);
});

test("an iPXE that is too old to wait for links tries DHCP on all", () => {
  const old = (argv: readonly string[]): boolean => argv[0] === "iflinkwait";
  const { commands } = runModel(entryScript({ base, waitsForLink: false }), machine("52:54:00:00:00:01"), old);
  assert.deepEqual(ran(commands, "dhcp"), ["net0"]);
});

test("the entry gives up after ten rounds and reboots", () => {
  const down = (argv: readonly string[]): boolean => argv[0] === "dhcp";
  const script = entryScript({ base, prompt: 2_000, waitsForLink: true });
  const { commands, printed } = runModel(script, machine("52:54:00:00:00:01", "52:54:00:00:00:02"), down);
  assert.equal(ran(commands, "dhcp").length, 20);
  assert.deepEqual(commands.at(-1), ["reboot"]);
  assert.equal(printed.at(-1), "Sidero: no interface has led to Sidero, rebooting in 5 s");
  assert.equal(commands[0]!.join(" "), "prompt --key 2 --timeout 2000 Press Ctrl-B for the iPXE command line ...");
});

test("the entry may leave the host to the machine", () => {
  const text = entryScript({ base: ["http://", { setting: "next-server" }, ":8081"], waitsForLink: true });
  const { commands } = runModel(text, machine("52:54:00:00:00:01").set("next-server", "10.9.9.9"));
  assert.match(ran(commands, "chain")[0]!, /http:\/\/10\.9\.9\.9:8081\/ipxe\?uuid=4c4c/);
});

test("a wait says what for, and asks again until there is an answer", () => {
  let attempts = 0;
  const script = waitScript('environment "x" is not ready: vmlinuz: 10 %', 5_000, AGAIN);
  const { commands, printed } = runModel(
    script,
    new Map(),
    (argv) => argv[0] === "prompt" || (argv[0] === "chain" && ++attempts < 4),
  );
  assert.equal(printed[0], 'Sidero: waiting: environment "x" is not ready: vmlinuz: 10 %');
  assert.equal(ran(commands, "chain").length, 4);
  assert.equal(ran(commands, "prompt").length, 4);
  assert.deepEqual(ran(commands, "chain")[0], `--replace --autofree ${AGAIN}`);
  assert.ok(!commands.some(([name]) => ["exit", "reboot", "shell"].includes(name!)));
});

const boot = {
  path: "/env/default",
  arguments: parseArguments("console=tty0 initrd=initramfs.xz"),
  because: "so it is",
  again: AGAIN,
};

test("an operating system: kernel, RAM disk by the name the kernel knows, boot; and what fails is tried again", () => {
  const good = runModel(osScript(boot));
  assert.deepEqual(good.commands.slice(1), [
    ["imgfree"],
    ["kernel", "--name=vmlinuz", "/env/default/vmlinuz", "console=tty0", "initrd=initramfs.xz"],
    ["initrd", "--name=initramfs.xz", "/env/default/initramfs.xz"],
    ["boot"],
  ]);
  for (const broken of ["kernel", "initrd", "boot"]) {
    const bad = runModel(osScript(boot), new Map(), ([name]) => name === broken);
    assert.deepEqual(bad.commands.at(-1), ["chain", "--replace", "--autofree", AGAIN], broken);
    assert.ok(bad.printed.includes("Sidero: that failed, asking again in 10 s"));
  }
  const named = runModel(osScript({ ...boot, arguments: parseArguments("initrd=a.img") }));
  assert.deepEqual(ran(named.commands, "initrd"), ["--name=a.img /env/default/initramfs.xz"]);
  const odd = runModel(osScript({ ...boot, arguments: parseArguments("initrd=0x1,2") }));
  assert.deepEqual(ran(odd.commands, "initrd"), ["--name=initramfs.xz /env/default/initramfs.xz"]);
});

test("settings of the machine reach the kernel, others are refused", () => {
  const script = osScript({ ...boot, arguments: parseArguments("a=${uuid} b=${net0/mac:hexhyp}") });
  const { commands } = runModel(script, machine("52:54:00:00:00:01"));
  assert.deepEqual(commands[2]!.slice(3), ["a=4c4c4544-0042-3510-8054-b4c04f333732", "b=52:54:00:00:00:01"]);
  assert.throws(
    () => osScript({ ...boot, arguments: parseArguments("a=${keep}") }),
    (error) => Fault.is(error, "ipxe.text"),
  );
});

test("to the disk: as each platform wants it", () => {
  const on = (script: string, platform: string, fails?: string) =>
    runModel(script, new Map([["platform", platform]]), ([name]) => name === fails).commands.slice(1);
  const leaves = (commands: string[][]): string => commands.at(-1)!.join(" ");
  assert.equal(leaves(on(diskScript("ipxe-exit", "x"), "efi")), "exit 1");
  assert.equal(leaves(on(diskScript("ipxe-exit", "x"), "pcbios")), "exit");
  const san = diskScript("ipxe-sanboot", "x");
  assert.deepEqual(ran(on(san, "pcbios"), "sanboot")[0], "--no-describe --drive 128");
  assert.deepEqual(ran(on(san, "efi"), "sanboot"), ["--no-describe --drive 0"]);
  assert.deepEqual(ran(on(san, "pcbios", "sanboot"), "sanboot"), ["--no-describe --drive 128"]);
  assert.equal(leaves(on(san, "efi", "sanboot")), "exit 1");
});

test("a refusal says why and lets the firmware go on", () => {
  const { commands, printed } = runModel(refusalScript("nobody knows it"));
  assert.deepEqual(printed, ["Sidero: nothing to boot: nobody knows it"]);
  assert.deepEqual(commands.slice(1), [
    ["sleep", "10"],
    ["exit", "1"],
  ]);
});

test("no text of a resource runs a command", () => {
  const unit = fc.constantFrom(..."ab \"'#;&|${}\\-=:/%", "\n", "\r", "\t", "\0", "é", "\u2028");
  const nasty = fc.oneof(
    fc.string({ unit, maxLength: 30 }),
    fc.constantFrom("\nreboot", "|| reboot", "&& shell", "a ; poweroff", "${reboot}"),
  );
  const KNOWN = new Set(["echo", "imgfree", "kernel", "initrd", "boot", "prompt", "chain", "goto", "sleep", "exit"]);
  fc.assert(
    fc.property(nasty, nasty, (text, line) => {
      const all: Argument[] = parseArguments(line);
      for (const write of [
        () => osScript({ ...boot, because: text, arguments: all }),
        () => waitScript(text, 5_000, AGAIN),
        () => refusalScript(text),
      ]) {
        let script: string;
        try {
          script = write();
        } catch (error) {
          assert.ok(Fault.is(error) && error.fault === "caller", String(error));
          continue;
        }
        const { commands } = runModel(script);
        for (const [name] of commands) assert.ok(KNOWN.has(name!), `${name} in ${script}`);
        const kernel = commands.find(([name]) => name === "kernel");
        if (kernel !== undefined) assert.equal(kernel.slice(3).join(" ").trimEnd(), formatArguments(all).trimEnd());
      }
    }),
    { numRuns: 3000 },
  );
});
