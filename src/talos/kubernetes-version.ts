/** Another version of Kubernetes in a machine's configuration: the images of its components, wherever the version of Talos keeps them (facts §5.4, §5.6). */
import { isObject, own } from "#std/json.ts";
import type { Json, JsonObject } from "#std/json.ts";
import type { ConfigDocument } from "./document/document.ts";
import { isV1alpha1, printConfig, withDocuments, withValue } from "./document/document.ts";
import { parseConfig } from "./document/parse.ts";

interface Component {
  readonly image: string;
  /** Since Talos 1.14 the kind of its document, before that its place in the v1alpha1 document. */
  readonly kind: string;
  readonly place: readonly [string, string];
}

const CONTROL_PLANE: readonly Component[] = [
  { image: "registry.k8s.io/kube-apiserver", kind: "KubeAPIServerConfig", place: ["cluster", "apiServer"] },
  {
    image: "registry.k8s.io/kube-controller-manager",
    kind: "KubeControllerManagerConfig",
    place: ["cluster", "controllerManager"],
  },
  { image: "registry.k8s.io/kube-scheduler", kind: "KubeSchedulerConfig", place: ["cluster", "scheduler"] },
  { image: "registry.k8s.io/kube-proxy", kind: "KubeProxyConfig", place: ["cluster", "proxy"] },
];
const KUBELET: Component = { image: "ghcr.io/siderolabs/kubelet", kind: "KubeletConfig", place: ["machine", "kubelet"] };

/** What of a machine is changed: its part of the control plane comes first on all of them, as no kubelet may be newer than an API server. */
export type Part = "control-plane" | "kubelet";

/**
 * The configuration with images of `version` (`v1.34.1`). A repository of one's own, and what follows the version in a tag (`v1.34.1-fat`), stay; an image by digest loses
 * the digest. All that is not changed stays byte for byte. Throws Fault `talos.config` for a text that is no configuration.
 */
export function withKubernetes(text: string, version: string, part: Part): string {
  const config = parseConfig(text);
  const components = part === "kubelet" ? [KUBELET] : CONTROL_PLANE;
  return printConfig(
    components.reduce(
      (changed, component) => withDocuments(changed, withComponent(changed.documents, component, version)),
      config,
    ),
  );
}

function withComponent(documents: readonly ConfigDocument[], component: Component, version: string): ConfigDocument[] {
  const own = documents.some(({ identity }) => identity.kind === component.kind);
  return documents.map((document) => {
    const { identity, value } = document;
    if (identity.kind === component.kind) return withValue(document, withImage(value, component, version));
    if (own || !isV1alpha1(document)) return document;
    const [section, field] = component.place;
    const [outer, inner] = [objectAt(value, section), objectAt(objectAt(value, section), field)];
    if (inner["disabled"] === true) return document;
    return withValue(document, { ...value, [section]: { ...outer, [field]: withImage(inner, component, version) } });
  });
}

function withImage(holder: JsonObject, { image }: Component, version: string): JsonObject {
  const present = own(holder, "image");
  const reference = typeof present === "string" && present !== "" ? present : image;
  return { ...holder, image: retagged(reference, version) };
}

/** A colon before the last slash is a registry's port. */
function retagged(reference: string, version: string): string {
  const [plain = ""] = reference.split("@");
  const [, repository = plain, tag = ""] = /^(.*?)(?::([^/:]*))?$/.exec(plain) ?? [];
  const suffix = /^v?\d+\.\d+\.\d+(?:-(?:alpha|beta|rc)\.\d+)?(-.+)?$/.exec(tag)?.[1] ?? "";
  return `${repository}:${version}${suffix}`;
}

function objectAt(value: JsonObject, key: string): JsonObject {
  const found: Json | undefined = own(value, key);
  return isObject(found) ? found : {};
}
