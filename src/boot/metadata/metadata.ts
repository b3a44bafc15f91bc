/** Everything that a machine which installs itself is told: the token in its script, and what that opens. */
import { createCloudRoute } from "./cloud.ts";
import { createGate, type GateOptions } from "./gate.ts";
import { type Answer, type Caller, createConfigRoute, createConfigurationReader } from "./route.ts";
import { createTokens, type Tokens } from "./tokens.ts";

export interface Metadata {
  readonly tokens: Tokens;
  /** The query of `/configdata`, or what stands behind `/cloud`. */
  answer(what: URLSearchParams | readonly string[], caller: Caller): Promise<Answer>;
}

export function createMetadata(options: GateOptions): Metadata {
  const gate = createGate(options);
  const read = createConfigurationReader(options);
  const config = createConfigRoute(options, gate, read);
  const cloud = createCloudRoute(options, gate);
  return {
    tokens: createTokens({
      ...options,
      hasLink: options.sideroLink !== undefined,
      // What is wrong is told when the machine asks.
      prepare: (server, binding) => void read(server, binding).catch(() => {}),
    }),
    answer: (what, caller) => (what instanceof URLSearchParams ? config(what, caller) : cloud(what, caller.address)),
  };
}
