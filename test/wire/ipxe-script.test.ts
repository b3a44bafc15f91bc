/** Scripts of ours, read by a model of iPXE that real iPXE agrees with (test/vectors/ipxe/scripts.json). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { Fault } from "#std/fault.ts";
import { formatArguments, parseArguments } from "#wire/ipxe/argument.ts";
import type { Argument } from "#wire/ipxe/argument.ts";
import { encode } from "#wire/ipxe/encode.ts";
import type { Command, Script, Step } from "#wire/ipxe/script.ts";
import { runModel } from "./ipxe-model.ts";

interface Vectors {
  readonly nasty: readonly string[];
  readonly scripts: readonly { readonly name: string; readonly script: string; readonly printed: readonly string[] }[];
}

const vectors = JSON.parse(readFileSync(new URL("../vectors/ipxe/scripts.json", import.meta.url), "utf8")) as Vectors;

/** A console shows white space as it moves the cursor. */
function asShown(line: string): string {
  return line.replaceAll(/[\t\v\f]/g, " ").trimEnd();
}

test("the model prints what real iPXE printed", () => {
  for (const { name, script, printed } of vectors.scripts) {
    assert.deepEqual(runModel(script).printed.map(asShown), printed.map(asShown), name);
  }
});

test("nasty texts come out of real iPXE as they went in", () => {
  const script: Script = vectors.nasty.flatMap((text, i): Step[] => [
    { run: { do: "set", setting: "t", text } },
    { run: { do: "echo", text: [`C${i} [`, { setting: "t" }, "]"] } },
  ]);
  const recorded = vectors.scripts.find(({ name }) => name === "rendered")!;
  assert.equal(encode(script), recorded.script, "the script that was run");
  assert.deepEqual(
    recorded.printed,
    vectors.nasty.map((text, i) => `C${i} [${text}]`),
  );
});

/** Letters that mean something to iPXE, Linux or a URI; and anything else at times. */
const nastyUnit = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(..."ab1 \"'#;&|$ {}\\-=:/%@,.?") },
  { weight: 1, arbitrary: fc.constantFrom("\n", "\r", "\t", "\0", "é", "\u2028", "𝕏", "\x7f", "\xa0") },
);
const nastyText = fc.oneof(
  fc.string({ unit: nastyUnit, maxLength: 14 }),
  fc.constantFrom("&&", "||", ";", "#", "${uuid}", "a\nreboot", "a || reboot", "--", "-n", "\\", "$", "{", "${", "\r", ""),
);

/** The commands of a one-line script, or undefined when it was refused. */
function ran(command: Command, settings?: Map<string, string>): string[][] | undefined {
  // What follows must be left alone, and what comes before must not matter.
  const script: Script = [{ run: { do: "ifstat" } }, { run: command, onFailure: { do: "route" } }, { run: { do: "imgfree" } }];
  let text: string;
  try {
    text = encode(script);
  } catch (error) {
    assert.ok(Fault.is(error) && error.fault === "caller" && error.code.startsWith("ipxe."), String(error));
    return undefined;
  }
  assert.match(text, /^[\n -~]*$/);
  assert.equal(text.split("\n").length, 5);
  const { commands } = runModel(text, settings);
  assert.deepEqual(commands[0], ["ifstat"]);
  assert.deepEqual(commands.at(-1), ["imgfree"]);
  return commands.slice(1, -1);
}

/** Whether a script can have this text at all. */
function isExpressible(text: string): boolean {
  return /^[ -~]*$/.test(text) && !text.split(" ").some((word) => /\$\{.*\}/.test(word));
}

/** Leaves out the options and their end. */
function operands(argv: readonly string[]): string[] {
  return argv.slice(1).filter((word, i, all) => !(word === "--" && all.indexOf("--") === i));
}

test("a word is one word and nothing else", () => {
  fc.assert(
    fc.property(nastyText, nastyText, (left, right) => {
      const commands = ran({ do: "iseq", left, right });
      const isPossible = [left, right].every((text) => isExpressible(text) && !text.includes(" "));
      assert.equal(commands !== undefined, isPossible);
      if (commands === undefined) return;
      assert.deepEqual(commands[0], ["iseq", "--", left, right]);
      assert.deepEqual(commands.slice(1), left === right ? [] : [["route"]]);
    }),
    { numRuns: 3000 },
  );
});

test("kernel arguments reach the kernel as they are, or are refused", () => {
  const argument = fc.record({ key: nastyText, value: nastyText }, { requiredKeys: ["key"], noNullPrototype: true });
  fc.assert(
    fc.property(fc.array(argument, { maxLength: 4 }), (all) => {
      const commands = ran({ do: "kernel", uri: "/env/default/vmlinuz", arguments: all });
      if (commands === undefined) return;
      assert.equal(commands.length, 1);
      const [name, uri, ...rest] = commands[0]!;
      assert.deepEqual([name, uri], ["kernel", "/env/default/vmlinuz"]);
      assert.equal(rest.join(" "), formatArguments(all));
      assert.deepEqual(parseArguments(rest.join(" ")), all);
    }),
    { numRuns: 3000 },
  );
});

test("usual kernel arguments are not refused", () => {
  const text =
    'talos.config=http://[fd00::1]:8081/configdata?uuid= console=ttyS0,115200n8 slab_nomerge= dyndbg="file a.c +p; func b && c # d" ' +
    "talos.environment=a=b,c ip=10.0.0.2::10.0.0.1:255.255.255.0::eth0:off $x {y} -z";
  const all: Argument[] = parseArguments(text);
  const commands = ran({ do: "kernel", uri: [{ setting: "cwuri" }, "x"], arguments: all }, new Map([["cwuri", "-"]]));
  assert.equal(commands!.length, 1);
  assert.equal(commands![0]!.slice(3).join(" "), text);
});

test("settings are filled in only where they are allowed", () => {
  const command = (settings: string[]): Command => ({
    do: "kernel",
    uri: "k",
    arguments: parseArguments("a=http://x/?u=${uuid}&m=${net0/mac} b=${uuid}"),
    settings,
  });
  const values = new Map([
    ["uuid", "1-2"],
    ["net0/mac", "52:54"],
  ]);
  assert.deepEqual(ran(command(["uuid", "net0/mac"]), values), [["kernel", "k", "a=http://x/?u=1-2&m=52:54", "b=1-2"]]);
  assert.equal(ran(command(["uuid"]), values), undefined, "the other one is refused");
});

test("a setting is stored as it was written", () => {
  fc.assert(
    fc.property(nastyText, (text) => {
      const settings = new Map<string, string>();
      const commands = ran({ do: "set", setting: "t", text }, settings);
      if (commands !== undefined) assert.equal(settings.get("t"), text);
      else assert.ok(!isExpressible(text) || /\$\{.*\}/.test(text));
    }),
    { numRuns: 1000 },
  );
});

test("what is shown is one harmless line, whatever it was", () => {
  fc.assert(
    fc.property(nastyText, nastyText, (text, second) => {
      for (const shown of [text, [text], [text, { setting: "uuid" }, second]]) {
        const commands = ran({ do: "echo", text: shown }, new Map([["uuid", "-n ${uuid"]]));
        assert.equal(commands?.length, 1);
        assert.equal(commands[0]![0], "echo");
        assert.ok(!operands(commands[0]!).join(" ").includes("\n"));
      }
      if (/^[!-~]+$/.test(text) && !text.includes("${")) assert.deepEqual(operands(ran({ do: "echo", text })![0]!), [text]);
    }),
    { numRuns: 1000 },
  );
  assert.ok(encode([{ run: { do: "echo", text: "x".repeat(100_000) } }]).length < 300);
});

test("addresses and names with a command in them are words, or refused", () => {
  const inject = ["http://a/b c", "x\nreboot", "x\r", "${uuid}", "--replace", "&&", "#", "http://a/;b"];
  const outcomes = inject.map((uri) => ran({ do: "chain", uri, replace: true })?.map((argv) => argv.join(" ")));
  assert.deepEqual(outcomes, [
    undefined,
    undefined,
    undefined,
    undefined,
    ["chain --replace -- --replace"],
    ["chain --replace -- &&"],
    ["chain --replace -- #"],
    ["chain --replace http://a/;b"],
  ]);
  assert.deepEqual(ran({ do: "initrd", uri: "/i", name: "a&&b" }), [["initrd", "--name=a&&b", "/i"]]);
  assert.equal(ran({ do: "initrd", uri: "/i", name: "a b" }), undefined);
  assert.equal(ran({ do: "clear", setting: "a; reboot" }), undefined);
});

test("a whole script, as text", () => {
  const script: Script = [
    { label: "retry" },
    { run: { do: "echo", text: ["Waiting for ", { setting: "net0/mac" }] } },
    {
      run: { do: "prompt", text: "Ctrl-B for the shell", key: 2, timeout: 2000 },
      onSuccess: { do: "shell" },
      onFailure: "continue",
    },
    { run: { do: "dhcp", device: "net0" }, onFailure: { do: "goto", label: "retry" } },
    { run: { do: "iflinkwait", device: "net0", timeout: 5000 }, onFailure: "continue" },
    { run: { do: "isset", text: [{ setting: "uuid" }] }, onFailure: { do: "exit", status: 1 } },
    { run: { do: "kernel", uri: "/env/a/vmlinuz", arguments: parseArguments('quiet a="b c"') } },
    { run: { do: "initrd", uri: "/env/a/initramfs.xz", name: "initramfs.xz" } },
    { run: { do: "boot" }, onFailure: { do: "sleep", time: 4500 } },
    { run: { do: "sanboot", drive: 0x80 }, onFailure: { do: "reboot" } },
  ];
  assert.equal(
    encode(script),
    `#!ipxe
:retry
echo Waiting for \${net0/mac}
prompt --key 2 --timeout 2000 Ctrl-B for the shell && shell ||
dhcp net0 || goto retry
iflinkwait --timeout 5000 net0 ||
isset -- \${uuid} || exit 1
kernel /env/a/vmlinuz quiet a="b c"
initrd --name=initramfs.xz /env/a/initramfs.xz
boot || sleep 5
sanboot --no-describe --drive 128 || reboot
`,
  );
});

test("scripts that make no sense are our defects", () => {
  const senseless: Script[] = [
    [{ run: { do: "goto", label: "nowhere" } }],
    [{ label: "a" }, { label: "a" }],
    [{ label: "a b" }],
    [{ run: { do: "sleep", time: Number.NaN } }],
    [{ run: { do: "exit", status: -1 } }],
  ];
  for (const script of senseless)
    assert.throws(
      () => encode(script),
      (error) => Fault.is(error, "ipxe.script") && error.fault === "ours",
    );
});
