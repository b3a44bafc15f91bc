/** The secrets of clusters, read and checked once for each state of their Secret, however many machines are made from them. */
import type { Pki } from "#io/pki.ts";
import type { Secret } from "#kube/secret.ts";
import { entryOf } from "#kube/secret.ts";
import { Fault } from "#std/fault.ts";
import { Sealed } from "#std/sealed.ts";
import { refusal } from "#talos/fault.ts";
import { checkSecrets } from "#talos/secrets.ts";
import type { Secrets } from "#talos/secrets.ts";
import { parseLegacySecrets, parseSecrets } from "#talos/secrets-text.ts";

/** The secrets, or why they cannot be read; neither when there is no Secret. */
export interface Bundle {
  readonly secrets?: Sealed<Secrets>;
  readonly problem?: string;
}

export class Bundles {
  readonly #pki: Pki;
  /** By `namespace/name` of the Secret. */
  readonly #read = new Map<string, { readonly state: string; readonly bundle: Promise<Bundle> }>();

  constructor(pki: Pki) {
    this.#pki = pki;
  }

  of(key: string, secret: Secret | undefined): Promise<Bundle> {
    if (secret === undefined) {
      this.#read.delete(key);
      return Promise.resolve({});
    }
    const state = `${secret.metadata.uid}@${secret.metadata.resourceVersion}`;
    const known = this.#read.get(key);
    if (known?.state === state) return known.bundle;
    const bundle = this.#parse(secret);
    this.#read.set(key, { state, bundle });
    return bundle;
  }

  async #parse(secret: Secret): Promise<Bundle> {
    try {
      const secrets = parse(secret);
      await checkSecrets(secrets, { pki: this.#pki });
      return { secrets: new Sealed(secrets) };
    } catch (error) {
      return { problem: Fault.from(error).message };
    }
  }
}

function parse(secret: Secret): Secrets {
  const bundle = entryOf(secret, "bundle");
  if (bundle !== undefined) return parseSecrets(bundle);
  const [certs, kubeSecrets, trustdInfo] = ["certs", "kubeSecrets", "trustdInfo"].map((key) => entryOf(secret, key));
  if (certs === undefined || kubeSecrets === undefined || trustdInfo === undefined)
    throw refusal("talos.secrets", "it has no entry bundle");
  return parseLegacySecrets({ certs, kubeSecrets, trustdInfo });
}
