import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { askerOf, targetOf } from "./asker.ts";

const asked = (query: string) => askerOf(new URLSearchParams(query), "10.0.0.7");

test("what iPXE says of a machine", () => {
  const query =
    "uuid=4C4C4544-0042-3510-8054-B4C04F333732&mac=52-54-00-AA-00-01&domain=d&hostname=h&serial=%20S%201&arch=arm64&platform=efi";
  assert.deepEqual(asked(query), {
    uuid: "4c4c4544-0042-3510-8054-b4c04f333732",
    mac: "52:54:00:aa:00:01",
    serial: "S 1",
    hostname: "h",
    architecture: "arm64",
    platform: "efi",
    address: "10.0.0.7",
  });
  assert.deepEqual(asked("uuid=nonsense&mac=1:2&serial=&arch=i386&platform=x"), { architecture: "amd64", address: "10.0.0.7" });
  assert.equal(asked("mac=52:54:00:00:00:01").mac, "52:54:00:00:00:01");
  assert.equal(asked(`serial=${"x".repeat(1000)}`).serial!.length, 128);
});

test("the same machine asks again, with a target that means nothing to iPXE", () => {
  fc.assert(
    fc.property(fc.record({ uuid: fc.uuid(), serial: fc.string({ unit: "binary" }), hostname: fc.string() }), (facts) => {
      const asker = askerOf(new URLSearchParams({ ...facts, arch: "arm64", platform: "pcbios" }), "10.0.0.7");
      const target = targetOf(asker);
      assert.match(target, /^\/ipxe\?[\w.!~*'()%=&-]+$/);
      // A character may have been cut in two.
      const again = askerOf(new URLSearchParams(target.split("?")[1]), "10.0.0.7");
      assert.equal(targetOf(again), target);
      assert.equal(again.uuid, facts.uuid.toLowerCase());
    }),
  );
});
