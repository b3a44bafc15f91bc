/**
 * tools/ipxe-build.sh around the compiler: a stand-in for iPXE's source package, whose make writes down what it was told. What iPXE's own
 * makefiles do with that is not shown here.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const BUILD = fileURLToPath(new URL("../../tools/ipxe-build.sh", import.meta.url));
const NAMES = "ipxe-arm64.efi ipxe.efi snp-arm64.efi snp-ia32.efi snp.efi undionly.kpxe undionly.kpxe.0".split(" ");

const MAKEFILE = `
bin/% bin-x86_64-efi/% bin-i386-efi/% bin-arm64-efi/%:
	mkdir -p $(dir $@)
	echo "$@ by $(CROSS_COMPILE)gcc at $(SOURCE_DATE_EPOCH)" > $@
	cat $(EMBED) config/local/*.h >> $@
	echo built >> $(COUNT)
`;
const CHANGELOG = `ipxe (1.2.3-4) stable; urgency=medium

  * Stand in.

 -- Nobody <nobody@example.org>  Fri, 02 May 2025 08:55:00 +0000
`;

interface Bench {
  readonly folder: string;
  readonly source: string;
  /** Runs the script with a cache of its own, and more settings. */
  build(
    cache: string,
    env?: Record<string, string>,
  ): { readonly out: string; readonly status: number | null; readonly log: string };
  /** How many programs were made so far. */
  made(): number;
}

function bench(context: TestContext, makefile = MAKEFILE): Bench {
  const folder = mkdtempSync(join(tmpdir(), "sidero-ipxe-build-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const source = join(folder, "source");
  const count = join(folder, "count");
  mkdirSync(join(source, "src/config/local"), { recursive: true });
  mkdirSync(join(source, "debian"));
  writeFileSync(join(source, "src/Makefile"), makefile);
  writeFileSync(join(source, "debian/changelog"), CHANGELOG);
  return {
    folder,
    source,
    build(cache, env = {}) {
      const out = join(folder, `out-${cache}`);
      const { status, stderr } = spawnSync(BUILD, [out], {
        encoding: "utf8",
        env: {
          ...process.env,
          XDG_CACHE_HOME: join(folder, cache),
          IPXE_SOURCE: source,
          COUNT: count,
          API_ENDPOINT: "",
          API_PORT: "",
          ...env,
        },
      });
      return { out, status, log: stderr };
    },
    made: () => (existsSync(count) ? readFileSync(count, "utf8").trim().split("\n").length : 0),
  };
}

test("all programs get the script, by the right compiler, and the manifest tells them", (context) => {
  const { build } = bench(context);
  const { out, status, log } = build("a");
  assert.equal(status, 0, log);
  assert.deepEqual(readdirSync(out).toSorted(), ["MANIFEST", ...NAMES]);
  execFileSync("sha512sum", ["--check", "--strict", "--quiet", "MANIFEST"], { cwd: out });
  assert.match(readFileSync(join(out, "MANIFEST"), "utf8"), /^# ipxe 1\.2\.3-4\n# x86_64-linux-gnu-gcc .*\n/);
  for (const name of NAMES) {
    const text = readFileSync(join(out, name), "utf8");
    const platform = { "snp-ia32.efi": "bin-i386-efi", "ipxe.efi": "bin-x86_64-efi", "snp.efi": "bin-x86_64-efi" }[name];
    const arm = name.includes("arm64");
    const expected = platform ?? (arm ? "bin-arm64-efi" : "bin");
    // The time of the changelog.
    assert.match(text, new RegExp(`^${expected}/\\S+ by ${arm ? "aarch64" : "x86_64"}-linux-gnu-gcc at 1746176100\n#!ipxe\n`));
    assert.ok(text.includes("chain --replace --autofree http://${next-server}:8081/ipxe?uuid="));
    assert.ok(text.includes("prompt --key 2 --timeout 2000 "));
    assert.ok(text.includes("#define DOWNLOAD_PROTO_HTTPS") && text.includes("#undef NAP_EFIARM"));
  }
});

test("two builds in different folders are the same, and a third is not made", (context) => {
  const { build, made, folder } = bench(context);
  const [a, b] = [build("a"), build("b")];
  assert.equal(made(), 12);
  assert.deepEqual([build("a").status, made()], [0, 12]);
  assert.equal(readFileSync(join(a.out, "MANIFEST"), "utf8"), readFileSync(join(b.out, "MANIFEST"), "utf8"));
  for (const name of NAMES) assert.ok(!readFileSync(join(a.out, name), "utf8").includes(folder), name);
});

test("an endpoint is built in, and other sources are another build", (context) => {
  const { build, made, source } = bench(context);
  const fixed = build("a", { API_ENDPOINT: "fd00::1", API_PORT: "80" });
  assert.equal(fixed.status, 0, fixed.log);
  assert.ok(readFileSync(join(fixed.out, "snp.efi"), "utf8").includes(" http://[fd00::1]:80/ipxe?uuid="));
  assert.equal(build("a").status, 0);
  assert.equal(made(), 12);
  writeFileSync(join(source, "src/new.c"), "");
  assert.equal(build("a").status, 0);
  assert.equal(made(), 18);
  assert.equal(build("a", { API_PORT: "none" }).status, 1);
});

test("a build that fails leaves what was there", (context) => {
  const { build, source, folder } = bench(context);
  const good = build("a");
  const before = readFileSync(join(good.out, "MANIFEST"), "utf8");
  writeFileSync(join(source, "src/Makefile"), MAKEFILE.replace("bin-arm64-efi/%", ""));
  const { status, log } = build("a");
  assert.notEqual(status, 0);
  assert.match(log, /No rule to make target 'bin-arm64-efi/);
  assert.equal(readFileSync(join(good.out, "MANIFEST"), "utf8"), before);
  assert.equal(readdirSync(join(folder, "a/sidero/ipxe-build")).length, 1, "only the good build is kept");
});
