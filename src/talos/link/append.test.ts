import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../document/parse.ts";
import { linkFactsOf, linkText } from "./append.ts";
import { minorIn } from "./version.ts";

const ENDS = { api: "grpc://10.0.0.1:8081?jointoken=t", events: "[fdae::1]:4002", logs: "tcp://[fdae::1]:4001" };
const image = (tag: string): string => `version: v1alpha1\nmachine:\n  install:\n    image: ghcr.io/siderolabs/installer${tag}\n`;

test("the version is the installer's, or what its documents tell", () => {
  const table = [
    [image(":v1.9.5"), 9],
    [image(":v1.13.4"), 13],
    [image(":v1.16.0-alpha.1@sha256:ab"), 16],
    [image("@sha256:ab"), undefined],
    ["version: v1alpha1\n", undefined],
    ["version: v1alpha1\n---\napiVersion: v1alpha1\nkind: HostnameConfig\nauto: stable\n", 12],
    ["version: v1alpha1\n---\napiVersion: v1alpha1\nkind: UnattendedInstallConfig\ninstaller:\n  image: r/i:v1.14.0\n", 14],
  ] as const;
  for (const [text, minor] of table) assert.equal(minorIn(parseConfig(text)), minor, text);
});

test("documents that are missing are added, by Talos that knows them", () => {
  const all = linkText(linkFactsOf(parseConfig(image(":v1.10.0"))), ENDS);
  assert.equal(
    all,
    "---\napiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://10.0.0.1:8081?jointoken=t\n" +
      '---\napiVersion: v1alpha1\nkind: EventSinkConfig\nendpoint: "[fdae::1]:4002"\n' +
      "---\napiVersion: v1alpha1\nkind: KmsgLogConfig\nname: remote-log\nurl: tcp://[fdae::1]:4001\n",
  );
  const own = `${image(":v1.13.0")}---\napiVersion: v1alpha1\nkind: SideroLinkConfig\napiUrl: grpc://elsewhere\n`;
  assert.doesNotMatch(linkText(linkFactsOf(parseConfig(own)), ENDS), /SideroLinkConfig/);
  assert.equal(parseConfig(own + linkText(linkFactsOf(parseConfig(own)), ENDS)).documents.length, 4);
  for (const text of [image(":v1.9.5"), "version: v1alpha1\n"]) assert.equal(linkText(linkFactsOf(parseConfig(text)), ENDS), "");
});
