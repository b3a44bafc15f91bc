/** As in v1alpha2: the conversion has nothing to do. */
import { older } from "#schema/family.ts";
import type { Resource } from "#schema/kind.ts";
import { kind } from "#schema/kind.ts";
import type { Environment as Hub } from "../v1alpha2/environment.ts";
import { environment } from "../v1alpha2/environment.ts";

export const Environment = kind({ ...environment, version: "v1alpha1" });
export type Environment = Resource<typeof Environment>;

export const conversion = older<typeof Environment, typeof Hub>({ kind: Environment, up: (body) => body, down: (body) => body });
