/** MachineDrainRule of contract v1beta1: the same. */
import { older } from "#schema/family.ts";
import { kind } from "#schema/kind.ts";
import { machineDrainRule } from "../v1beta2/machine-drain-rule.ts";
import type { MachineDrainRule as Hub } from "../v1beta2/machine-drain-rule.ts";

export const MachineDrainRule = kind({ ...machineDrainRule, version: "v1beta1" });

export const conversion = older<typeof MachineDrainRule, typeof Hub>({
  kind: MachineDrainRule,
  up: (body) => body,
  down: (body) => body,
});
