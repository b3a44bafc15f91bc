/**
 * Disks that are erased, scripted: what QEMU's disks cannot do (ATA Security, every kind of Sanitize), what goes wrong on the way, and disks that lie.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryBlock } from "#io/memory/block.ts";
import type { MemoryBlock, MemoryBlockOptions } from "#io/memory/block.ts";
import type { ScsiAnswer } from "#io/block.ts";
import { Fault } from "#std/fault.ts";
import { erase } from "./erase.ts";
import type { DiskIdentity, EraseJob, EraseProgress, Erased } from "./job.ts";
import { PASSWORD } from "./security.ts";

const MIB = 1024 * 1024;

const OLD = new Uint8Array(64 * MIB);
for (let at = 0; at < OLD.length; at += 512) new TextEncoder().encodeInto(`OLD ${at}`, OLD.subarray(at));

function old(options: Partial<MemoryBlockOptions> = {}): MemoryBlock {
  const block = createMemoryBlock({ bytes: 64 * MIB, ...options });
  block.content.set(OLD);
  return block;
}

interface Ran {
  readonly erased?: Erased;
  readonly fault?: Fault;
  readonly told: EraseProgress[];
}

function run(
  block: MemoryBlock,
  job: Partial<EraseJob> = {},
  isStopped: () => boolean = () => false,
  found: DiskIdentity | undefined = { serial: "S", wwid: "naa.1", bytes: block.bytes },
): Ran {
  const told: EraseProgress[] = [];
  const disk = { serial: "S", wwid: "naa.1", bytes: block.bytes };
  const whole = {
    path: block.path,
    disk,
    mode: "full",
    rotational: false,
    partitions: [],
    alone: true,
    seed: "s",
    ...job,
  } as const;
  try {
    const erased = erase(whole, {
      block,
      disk: () => found,
      tell: (progress) => void told.push(progress),
      pause: () => {},
      isStopped,
    });
    return { erased, told };
  } catch (error) {
    return { fault: Fault.from(error), told };
  }
}

const isLeft = ({ content }: MemoryBlock): boolean => Buffer.from(content.buffer).includes("OLD ");
/** As a disk reads whose key was thrown away. */
const scramble = ({ content }: MemoryBlock): void => {
  const words = new Uint32Array(content.buffer);
  for (let i = 0, state = 1; i < words.length; i++) words[i] = state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
};

test("fast: discards, zeroes the labels of the disk and of its partitions, and reads them back", () => {
  const block = old();
  const { erased, told } = run(block, { mode: "fast", partitions: [{ at: 20 * MIB, length: 30 * MIB }] });
  assert.deepEqual([erased?.method, erased?.verified], ["discard", true]);
  assert.ok(!isLeft(block));
  assert.deepEqual(told.at(-1), { state: "verifying", percent: 95, method: "discard" });

  const still = old({ discarded: "nothing" });
  const { erased: kept } = run(still, { mode: "fast", partitions: [{ at: 20 * MIB, length: 30 * MIB }] });
  assert.equal(kept?.method, "discard");
  assert.match(kept?.detail ?? "", /\d+ of 64 samples elsewhere \(seed s\) do not read as zeros yet/);
  assert.doesNotMatch(erased?.detail ?? "", /samples/);
  for (const at of [0, 15 * MIB, 20 * MIB, 35 * MIB, 46 * MIB, 60 * MIB, 64 * MIB - 512])
    assert.equal(still.content[at], 0, `${at}`);
  assert.notEqual(still.content[18 * MIB], 0, "a disk may forget what was discarded when it likes");

  const hard = old({ clears: [] });
  const result = run(hard, { mode: "fast", rotational: true });
  assert.equal(result.erased?.method, "labels");
  assert.match(result.erased?.detail ?? "", /it cannot discard: what lies between the labels is still there/);
  assert.ok(hard.calls.some((call) => call.startsWith("write 0 ")));
});

test("fast: a label that cannot be written, or comes back, fails", () => {
  const bad = run(old({ bad: { at: 64 * MIB - 4096, length: 512, when: "write" } }), { mode: "fast" });
  assert.equal(bad.fault?.code, "io.failed");
  assert.match(bad.fault?.message ?? "", /the disk reports an error/);
  const liar = old();
  const { clear } = liar;
  liar.clear = (how, at, length) => void (at === 0 || clear(how, at, length));
  const lied = run(liar, { mode: "fast" });
  assert.equal(lied.fault?.code, "agent.not-erased");
  assert.match(lied.fault?.message ?? "", /does not read as zeros at byte 0 after zeros were written/);
});

test("full, a disk that knows nothing: zeros by the kernel, or byte by byte", () => {
  const virtual = old({ clears: ["zero"] });
  assert.deepEqual([run(virtual).erased?.method, isLeft(virtual)], ["zero-out", false]);
  const none = old({ clears: [] });
  assert.deepEqual([run(none, { rotational: true }).erased?.method, isLeft(none)], ["zeroes", false]);
  const secure = old({ clears: ["secure", "zero"] });
  assert.deepEqual([run(secure).erased?.method, isLeft(secure)], ["secure-discard", false]);
});

test("full: a method that did not do what it says is followed by the next", () => {
  const liar = old({ clears: ["secure", "zero"], discarded: "nothing" });
  const { erased } = run(liar);
  assert.equal(erased?.method, "zero-out");
  assert.match(erased?.detail ?? "", /secure-discard did not do: what was at byte \d+ is still there/);
  assert.ok(!isLeft(liar));
});

test("full: a place that cannot be written fails the disk, with all that was tried", () => {
  const { fault } = run(old({ clears: ["zero"], bad: { at: 30 * MIB, length: 512, when: "write" } }));
  assert.equal(fault?.code, "agent.not-erased");
  assert.match(fault?.message ?? "", /zero-out did not do: .*the disk reports an error; zeroes did not do: .*byte 31457280/);
});

test("a disk that is stopped is left at once, and is no success", () => {
  let calls = 0;
  const { fault } = run(old({ clears: [] }), {}, () => ++calls > 5);
  assert.equal(fault?.code, "agent.stopped");
});

interface Nvme {
  readonly sanicap?: number;
  readonly oacs?: number;
  readonly fna?: number;
  /** What a format or a sanitize does; a number is the status of a refusal. */
  readonly effect?: (disk: MemoryBlock, what: string) => unknown;
  /** State of the log after the command: 1 done, 3 failed. */
  readonly ends?: number;
}

function nvme({
  sanicap = 0,
  oacs = 0,
  fna = 0,
  effect = (disk) => void disk.content.fill(0),
  ends = 1,
}: Nvme): Partial<MemoryBlockOptions> {
  let looks = -1;
  return {
    path: "/dev/nvme0n1",
    nvme({ opcode, dwords }, disk) {
      const page = new Uint8Array(4096);
      const view = new DataView(page.buffer);
      if (opcode === 0x06) {
        view.setUint16(256, oacs, true);
        view.setUint32(328, sanicap, true);
        view.setUint8(524, fna);
        if (dwords[0] === 0) page[26] = 1;
      } else if (opcode === 0x02) {
        // Never, or half way at the first two looks, then ended.
        const state = looks < 0 ? 0 : looks < 2 ? 2 : ends;
        if (looks >= 0) looks++;
        view.setUint16(0, 0x8000, true);
        view.setUint16(2, state, true);
      } else {
        const refused = effect(disk, opcode === 0x84 ? `sanitize ${dwords[0]! & 7}` : `format ${(dwords[0]! >> 9) & 7}`);
        if (typeof refused === "number") return refused;
        if (opcode === 0x84) looks = 0;
      }
      return page;
    },
  };
}

test("NVMe: sanitize by throwing the key away; what is noise then gets empty labels", () => {
  const block = old(nvme({ sanicap: 7, effect: scramble }));
  const { erased, told } = run(block);
  assert.deepEqual([erased?.method, erased?.verified], ["nvme-sanitize-crypto", true]);
  assert.match(erased?.detail ?? "", /^256 samples \(seed s\): nothing of what was there/);
  assert.ok(block.calls.includes("nvme 0x84 4 0"), block.calls.join("\n"));
  assert.ok(
    told.some(({ percent, method }) => percent === 48 && method === "nvme-sanitize-crypto"),
    "half way",
  );
  assert.ok(block.content.subarray(0, 16 * MIB).every((byte) => byte === 0));
  assert.ok(block.content.subarray(20 * MIB, 21 * MIB).some((byte) => byte !== 0));
});

test("NVMe: a sanitize that fails or is refused is followed by the next and by a format to the same format", () => {
  const tried: string[] = [];
  const block = old(
    nvme({
      sanicap: 3,
      oacs: 2,
      fna: 4,
      effect: (disk, what) => {
        tried.push(what);
        if (what === "format 2") return 0x4002;
        if (what === "format 1") disk.content.fill(0);
        return undefined;
      },
      ends: 3,
    }),
  );
  const { erased } = run(block);
  assert.deepEqual(tried, ["sanitize 4", "sanitize 2", "format 2", "format 1"]);
  assert.equal(erased?.method, "nvme-format-erase");
  assert.ok(block.calls.includes("nvme 0x80 201"), "format 1, user data");
  assert.match(erased?.detail ?? "", /nvme-sanitize-crypto did not do: the disk says that it failed/);
  assert.match(erased?.detail ?? "", /nvme-format-crypto did not do: .*status 0x4002/);
});

test("NVMe: a controller that says it has erased and has not is not believed", () => {
  const { erased } = run(old(nvme({ oacs: 2, effect: () => undefined })));
  assert.equal(erased?.method, "secure-discard");
  assert.match(erased?.detail ?? "", /nvme-format-erase did not do: what was at byte \d+ is still there/);
});

test("NVMe: other namespaces of the controller are nobody's to erase", () => {
  const block = old({ ...nvme({ sanicap: 7, oacs: 2, fna: 7 }), clears: ["zero"] });
  const { erased } = run(block, { alone: false });
  assert.equal(erased?.method, "zero-out");
  assert.ok(!block.calls.some((call) => call.startsWith("nvme 0x8")), "neither format nor sanitize");
});

interface Ata {
  security: number;
  sanitize?: number;
  /** The password it has. */
  password?: string;
  /** Commands that it refuses. */
  readonly refuses?: readonly number[];
}

/** A disk with the Security feature set: bits of word 128 follow what it is told. */
function ata(state: Ata): Partial<MemoryBlockOptions> {
  let prepared = false;
  let looks = -1;
  const aborted: Partial<ScsiAnswer> = { status: 2, sense: Uint8Array.of(0x72, 0x0b) };
  return {
    path: "/dev/sda",
    scsi({ cdb, out = new Uint8Array() }, disk) {
      const command = cdb[14]!;
      if (cdb[0] !== 0x85 || state.refuses?.includes(command)) return aborted;
      const said = Buffer.from(out.subarray(2, 34)).toString("latin1").replaceAll("\0", "");
      const isRight = state.password === undefined || said === state.password;
      const wasPrepared = prepared;
      prepared = command === 0xf3;
      switch (command) {
        case 0xec: {
          const data = new Uint8Array(512);
          data.set([0x40, 0], 0);
          data.set([(state.sanitize ?? 0) & 0xff, (state.sanitize ?? 0) >> 8], 118);
          data.set([10, 0], 180);
          data.set([state.security & 0xff, 0], 256);
          return { data };
        }
        case 0xf1:
          state.password = said;
          state.security |= 2;
          return {};
        case 0xf2:
          if (isRight) state.security &= ~4;
          return isRight ? {} : aborted;
        case 0xf3:
          return {};
        case 0xf4:
          if (!wasPrepared || !isRight) return aborted;
          disk.content.fill(0);
          state.security &= ~6;
          delete state.password;
          return {};
        case 0xf6:
          if (!isRight || (state.security & 4) !== 0) return aborted;
          state.security &= ~2;
          delete state.password;
          return {};
        case 0xb4: {
          if (cdb[4] !== 0) {
            looks = 0;
            scramble(disk);
            return {};
          }
          const isDone = ++looks > 3;
          const descriptor = [1, 0, isDone ? 0x80 : 0x40, 0, 0, 0, 0, 0x80, 0, 0, 0x40, 0x50];
          return { status: 2, sense: Uint8Array.of(0x72, 1, 0, 0x1d, 0, 0, 0, 14, 0x09, 0x0c, ...descriptor) };
        }
        default:
          return aborted;
      }
    },
  };
}

const commands = ({ calls }: MemoryBlock): string[] =>
  calls.flatMap((call) => (call.startsWith("scsi 85") ? [call.split(" ")[15]!] : []));
const SUPPORTED = 0x21;

test("ATA: security erase, enhanced, with a password that is told first and gone afterwards", () => {
  const state: Ata = { security: SUPPORTED };
  const block = old(ata(state));
  const { erased, told } = run(block, { rotational: true });
  assert.deepEqual([erased?.method, erased?.verified, isLeft(block)], ["ata-security-erase-enhanced", true, false]);
  assert.deepEqual(commands(block), ["ec", "ec", "f1", "f3", "f4", "ec"]);
  const warned = told.findIndex(({ detail }) => detail?.includes(`"${PASSWORD}"`) === true);
  assert.ok(warned >= 0 && /up to 20 minutes/.test(told[warned]!.detail!));
  assert.equal(state.password, undefined);
});

test("ATA: frozen by the firmware, or locked by somebody: zeros, and the record says why", () => {
  for (const [security, why] of [
    [SUPPORTED | 8, /no security erase: the firmware has frozen it/],
    [SUPPORTED | 6, /no security erase: the disk is locked by a password that is not ours/],
  ] as const) {
    const block = old(ata({ security, password: "somebody's" }));
    const { erased } = run(block, { rotational: true });
    assert.equal(erased?.method, "zero-out");
    assert.match(erased?.detail ?? "", why);
    assert.ok(!commands(block).includes("f1"));
    assert.ok(commands(block).filter((command) => command === "f2").length <= 1, "a wrong password is tried once");
  }
});

test("ATA: a disk that lost power in the middle is opened again with our password, and erased", () => {
  const state: Ata = { security: SUPPORTED | 6, password: PASSWORD };
  const block = old(ata(state));
  const { erased } = run(block, { rotational: true });
  assert.equal(erased?.method, "ata-security-erase-enhanced");
  assert.deepEqual(commands(block).slice(0, 4), ["ec", "f2", "f6", "ec"]);
  assert.match(erased?.detail ?? "", /an earlier erasure was interrupted; its password was taken away/);
  assert.equal(state.password, undefined);
});

test("ATA: a disk that refuses to erase itself has its password taken away, and gets zeros", () => {
  const state: Ata = { security: SUPPORTED, refuses: [0xf4] };
  const block = old(ata(state));
  const { erased } = run(block, { rotational: true });
  assert.equal(erased?.method, "zero-out");
  assert.match(
    erased?.detail ?? "",
    /ata-security-erase-enhanced did not do: it refused to erase itself; ata-security-erase did not do/,
  );
  assert.equal(state.password, undefined);
  const stuck: Ata = { security: SUPPORTED, refuses: [0xf4, 0xf6] };
  assert.match(run(old(ata(stuck)), { rotational: true }).erased?.detail ?? "", /and its ATA password is now "sidero-erase"/);
});

test("ATA: sanitize, looked after until it has ended", () => {
  const block = old(ata({ security: 0, sanitize: 0x3000 }));
  const { erased, told } = run(block);
  assert.deepEqual([erased?.method, isLeft(block)], ["ata-sanitize-crypto", false]);
  assert.ok(told.some(({ percent }) => percent === 48));
});

test("SCSI: sanitize where the disk says that it knows it", () => {
  let looks = -1;
  const block = old({
    path: "/dev/sdb",
    scsi({ cdb }, disk) {
      if (cdb[0] === 0xa3) return { data: Uint8Array.of(0, cdb[5] === 2 ? 3 : 1, 0, 0) };
      if (cdb[0] === 0x48) {
        looks = 0;
        disk.content.fill(0xff);
        return {};
      }
      if (cdb[0] !== 0x03) return { status: 2, sense: Uint8Array.of(0x72, 5, 0x20, 0) };
      const isDone = ++looks > 2;
      return {
        data: isDone
          ? Uint8Array.of(0x72, 0, 0, 0, 0, 0, 0, 0)
          : Uint8Array.of(0x72, 2, 4, 0x1b, 0, 0, 0, 8, 2, 6, 0, 0, 0x80, 0x80, 0, 0),
      };
    },
  });
  const { erased, told } = run(block);
  assert.deepEqual([erased?.method, isLeft(block)], ["scsi-sanitize-block", false]);
  assert.ok(told.some(({ percent }) => percent === 48));
});

test("a disk that has another identity than the one that was chosen is left as it is, whatever its name", () => {
  const chosen = { serial: "S", wwid: "naa.1", bytes: 64 * MIB };
  const others = [{ serial: "T" }, { wwid: "naa.2" }, { serial: "" }, { bytes: 32 * MIB }];
  for (const mode of ["fast", "full"] as const) {
    for (const other of others) {
      const block = old();
      const { fault } = run(block, { mode, disk: chosen }, undefined, { ...chosen, ...other });
      assert.equal(fault?.code, "agent.not-erased");
      assert.match(fault?.message ?? "", /nothing was written to .*, which is another disk now/);
      assert.deepEqual([block.calls, Buffer.from(block.content).equals(OLD)], [[], true]);
    }
    const smaller = createMemoryBlock({ bytes: 32 * MIB });
    assert.equal(run(smaller, { mode, disk: chosen }, undefined, chosen).fault?.code, "agent.not-erased");
    assert.deepEqual(smaller.calls, []);
  }
});
