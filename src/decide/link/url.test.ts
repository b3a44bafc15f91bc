import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatArguments, parseArguments } from "#wire/ipxe/argument.ts";
import { linkUrl } from "./url.ts";

test("with everything, and with nothing", () => {
  assert.equal(linkUrl({ endpoint: "[fd00::1]:8081" }), "grpc://[fd00::1]:8081");
  assert.equal(linkUrl({ endpoint: "s:1", overGrpc: true }), "grpc://s:1?grpc_tunnel=true");
  assert.equal(linkUrl({ endpoint: "s:1", token: "a_-b", overGrpc: true }), "grpc://s:1?jointoken=a_-b&grpc_tunnel=true");
});

test("whatever the token is, it is read back as it was, also from a kernel's command line", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: "grapheme" }), fc.boolean(), (token, overGrpc) => {
      const value = linkUrl({ endpoint: "s:1", token, overGrpc });
      const [argument] = parseArguments(formatArguments([{ key: "siderolink.api", value }]));
      assert.equal(argument?.value, value);
      const { searchParams } = new URL(value);
      assert.equal(searchParams.get("jointoken"), token);
      assert.equal(searchParams.get("grpc_tunnel"), overGrpc ? "true" : null);
    }),
  );
});
