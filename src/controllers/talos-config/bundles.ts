/** The secrets of clusters, read and checked once for each state of their Secret, however many machines are made from them. */
import type { Pki } from "#io/pki.ts";
import type { TalosConfig } from "#kinds/bootstrap/v1beta1/talos-config.ts";
import type { Secret } from "#kube/secret.ts";
import { entryOf } from "#kube/secret.ts";
import { Fault } from "#std/fault.ts";
import { Sealed } from "#std/sealed.ts";
import { parseConfig } from "#talos/document/parse.ts";
import { refusal } from "#talos/fault.ts";
import type { KeyPair } from "#talos/pki.ts";
import { checkSecrets } from "#talos/secrets.ts";
import type { Secrets } from "#talos/secrets.ts";
import { parseLegacySecrets, parseSecrets } from "#talos/secrets-text.ts";
import { authorityOf } from "./config.ts";

/** The secrets, or why they cannot be read; neither when there is no Secret. */
export interface Bundle {
  readonly secrets?: Sealed<Secrets>;
  readonly problem?: string;
}

export class Bundles {
  readonly #pki: Pki;
  /** By `namespace/name` of the Secret. */
  readonly #read = new Map<string, { readonly state: string; readonly bundle: Promise<Bundle> }>();

  /** For each state of a config, as a configuration takes milliseconds to read. */
  readonly #given = new WeakMap<TalosConfig, { readonly authority: Sealed<KeyPair> | undefined }>();

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

  /** Talos' authority in a configuration that was given for a control plane machine; undefined for all others. */
  givenBy(config: TalosConfig): Sealed<KeyPair> | undefined {
    const known = this.#given.get(config);
    if (known !== undefined) return known.authority;
    const authority = givenAuthority(config);
    this.#given.set(config, { authority });
    return authority;
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

/** Most configurations are workers', which need not be read to know that. */
const MAY_LEAD = /\b(init|controlplane)\b/;

function givenAuthority({ spec }: TalosConfig): Sealed<KeyPair> | undefined {
  if (spec?.generateType !== "none" || spec.data === undefined || !MAY_LEAD.test(spec.data)) return undefined;
  try {
    const authority = authorityOf(parseConfig(spec.data), "machine");
    return authority && new Sealed(authority);
  } catch (error) {
    if (Fault.is(error, "talos.config")) return undefined;
    throw error;
  }
}
