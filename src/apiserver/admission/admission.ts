/**
 * What may change or refuse a write before it is stored: one chain, all mutators first, then all validators. Webhooks and
 * policies join it later as plugins, so every step may take its time.
 */
import type { KubeObject } from "#schema/meta.ts";
import type { Resource } from "../registry.ts";
import type { User } from "../request.ts";

export interface Attributes {
  readonly operation: "CREATE" | "UPDATE" | "DELETE";
  readonly resource: Resource;
  /** "" for the resource itself. */
  readonly subresource: string;
  readonly namespace: string;
  /** "" while a generated name is not known. */
  readonly name: string;
  /** In the request's version; undefined for DELETE. Mutators change it in place. */
  readonly object: KubeObject | undefined;
  /** Undefined for CREATE. */
  readonly old: KubeObject | undefined;
  readonly dryRun: boolean;
  readonly user: User;
}

/** Refuses by throwing a fault that carries its Status. */
export interface AdmissionPlugin {
  mutate?(attributes: Attributes): void | Promise<void>;
  validate?(attributes: Attributes): void | Promise<void>;
}

export class Admission {
  readonly #plugins: readonly AdmissionPlugin[];

  constructor(plugins: readonly AdmissionPlugin[]) {
    this.#plugins = plugins;
  }

  async mutate(attributes: Attributes): Promise<void> {
    for (const plugin of this.#plugins) {
      const pending = plugin.mutate?.(attributes);
      if (pending !== undefined) await pending;
    }
  }

  async validate(attributes: Attributes): Promise<void> {
    for (const plugin of this.#plugins) {
      const pending = plugin.validate?.(attributes);
      if (pending !== undefined) await pending;
    }
  }
}
