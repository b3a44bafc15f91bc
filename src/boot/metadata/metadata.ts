/** Everything that a machine which installs itself is told: the token in its script, and what that opens. */
import { createCloudRoute } from "./cloud.ts";
import { createGate, type GateOptions } from "./gate.ts";
import { type Answer, createConfigRoute, createConfigurationReader } from "./route.ts";
import { createTokens, type Tokens } from "./tokens.ts";

export interface Metadata {
  readonly tokens: Tokens;
  /** The query of `/configdata`, or what stands behind `/cloud`. */
  answer(what: URLSearchParams | readonly string[], address: string): Promise<Answer>;
}

/** `hasLink`: there is a SideroLink, which machines join by a token of their boot. */
export function createMetadata(options: GateOptions & { readonly hasLink: boolean }): Metadata {
  const gate = createGate(options);
  const read = createConfigurationReader(options);
  const config = createConfigRoute(options, gate, read);
  const cloud = createCloudRoute(options, gate);
  return {
    tokens: createTokens({
      ...options,
      // What is wrong is told when the machine asks.
      prepare: (server, binding) => void read(server, binding).catch(() => {}),
    }),
    answer: (what, address) => (what instanceof URLSearchParams ? config(what, address) : cloud(what, address)),
  };
}
