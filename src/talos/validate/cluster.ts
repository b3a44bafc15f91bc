/** What a machine knows of its cluster: authorities, the key of discovery, images (facts §5.8). */
import type { Json } from "#std/json.ts";
import type { Contract } from "../contract.ts";
import { at } from "../document/document.ts";
import type { Subject } from "./subject.ts";
import { isEmpty } from "./subject.ts";

export function clusterProblems(subject: Subject): string[] {
  return [...authorityProblems(subject), ...discoveryProblems(subject), ...imageProblems(subject)];
}

function documentOf({ config }: Subject, kind: string) {
  return config.documents.find(({ identity }) => identity.kind === kind)?.value;
}

function authorityProblems(subject: Subject): string[] {
  const { legacy, isControlPlane } = subject;
  const document = documentOf(subject, "KubeAPIServerCAConfig");
  const [crt, key] = [at(legacy, "cluster", "ca", "crt"), at(legacy, "cluster", "ca", "key")];
  const hasCertificate =
    ![crt, at(legacy, "cluster", "acceptedCAs")].every(isEmpty) ||
    (document !== undefined && ![at(document, "issuingCA", "cert"), document["acceptedCAs"]].every(isEmpty));
  const workerKey = !isEmpty(key)
    ? ["cluster.ca.key: a worker must not have it"]
    : document !== undefined && !isEmpty(at(document, "issuingCA", "key"))
      ? ["KubeAPIServerCAConfig: issuingCA.key: a worker must not have it"]
      : [];
  return [
    ...(hasCertificate ? [] : ["cluster.ca.crt: it is missing, and there are no acceptedCAs"]),
    ...(isControlPlane ? [] : workerKey),
  ];
}

/** The key that members of the cluster encrypt with what they tell the discovery service: AES-256. */
function discoveryProblems(subject: Subject): string[] {
  const { legacy } = subject;
  const isOn = at(legacy, "cluster", "discovery", "enabled") === true;
  const document = documentOf(subject, "DiscoveryIdentityConfig");
  if (!isOn && document === undefined) return [];
  const problemsOf = (id: Json | undefined, secret: Json | undefined, places: readonly [string, string]): string[] => [
    ...(isEmpty(id) ? [`${places[0]}: discovery needs it`] : []),
    ...(is32Bytes(secret) ? [] : [`${places[1]}: discovery needs 32 bytes in base64`]),
  ];
  if (document !== undefined)
    return problemsOf(document["clusterID"], document["clusterSecret"], [
      "DiscoveryIdentityConfig: clusterID",
      "DiscoveryIdentityConfig: clusterSecret",
    ]);
  return problemsOf(at(legacy, "cluster", "id"), at(legacy, "cluster", "secret"), ["cluster.id", "cluster.secret"]);
}

function is32Bytes(value: Json | undefined): boolean {
  return typeof value === "string" && /^[A-Za-z0-9+/]{43}=$/.test(value);
}

const IMAGES: readonly (readonly string[])[] = [
  ["machine", "kubelet"],
  ["cluster", "apiServer"],
  ["cluster", "controllerManager"],
  ["cluster", "scheduler"],
  ["cluster", "proxy"],
];

const IMAGE_DOCUMENTS: ReadonlySet<string> = new Set([
  "KubeletConfig",
  "KubeAPIServerConfig",
  "KubeControllerManagerConfig",
  "KubeSchedulerConfig",
  "KubeProxyConfig",
]);

function imageProblems({ config, legacy, options: { contract } }: Subject): string[] {
  if (contract === undefined) return [];
  const named = [
    ...IMAGES.map((path) => ({ place: `${path.join(".")}.image`, image: at(legacy, ...path, "image") })),
    ...config.documents
      .filter(({ identity }) => IMAGE_DOCUMENTS.has(identity.kind))
      .map(({ identity, value }) => ({ place: `${identity.kind}: image`, image: value["image"] })),
  ];
  return named.flatMap(({ place, image }) => {
    const problem = typeof image === "string" ? versionProblem(image, contract) : undefined;
    return problem === undefined ? [] : [`${place}: ${problem}`];
  });
}

/** Only a tag that is a version tells one: a digest, or no tag, is taken on trust. */
function versionProblem(image: string, contract: Contract): string | undefined {
  const minor = /:v1\.(\d{1,3})\.[^/@]*(@|$)/.exec(image)?.[1];
  if (minor === undefined) return undefined;
  const { oldest, newest } = kubernetesRange(contract);
  const number = Number(minor);
  if (number >= oldest && number <= newest) return undefined;
  return `Kubernetes 1.${number} is too ${number < oldest ? "old" : "new"} for Talos 1.${contract.minor}, which takes 1.${oldest} to 1.${newest}`;
}

/** Minor versions of Kubernetes that a Talos runs: three until 1.5, then six. */
export function kubernetesRange({ minor }: Contract): { readonly oldest: number; readonly newest: number } {
  const newest = minor + 23;
  return { oldest: newest - (minor <= 5 ? 2 : 5), newest };
}
