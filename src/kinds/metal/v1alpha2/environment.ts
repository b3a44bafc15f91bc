/** The operating system a machine boots over the network. */
import type { Resource } from "#schema/kind.ts";
import { kind } from "#schema/kind.ts";
import { array, dateTime, enumeration, int32, object, string } from "#schema/kit.ts";

const sha512 = string().doc(
  "SHA-512 of the file in hexadecimal; a file that differs is refused. Without it, what is downloaded first is what it stays.",
);
const kernelUrl = string().doc("Where to download the kernel: http or https.");
const initrd = object({
  url: string().doc("Where to download the initial RAM disk: http or https."),
  sha512,
}).doc("The initial RAM disk.");

export const EnvironmentSpec = object({
  kernel: object({
    url: kernelUrl,
    sha512,
    args: array(string()).doc("Kernel arguments; talos.config is completed for the machine that asks."),
  }).doc("The kernel to boot."),
  initrd,
  arm64: object({
    kernel: object({
      url: kernelUrl,
      sha512,
      args: array(string()).doc("Kernel arguments; absent: those of spec.kernel."),
    }).doc("The kernel to boot."),
    initrd,
  }).doc("What arm64 machines boot. Absent: this Environment is for amd64 machines only."),
});

/** No meta/v1 condition: there is one entry for each file, all of type Ready. */
const AssetCondition = object({
  url: string().doc("The file this is about."),
  sha512: string().doc("SHA-512 the file was checked against."),
  status: string().required().doc("Whether the file is there and whole: True or False."),
  type: enumeration("Ready").required().doc("Always Ready."),
  reason: string().doc("Why, as one word for programs, in CamelCase."),
  message: string().doc("Why, as a sentence for people."),
  progress: int32().min(0).max(100).doc("Percent of the file that is there, while it is being downloaded."),
  lastTransitionTime: dateTime().doc("When the status last changed."),
});

export const EnvironmentStatus = object({
  conditions: array(AssetCondition).doc("One entry for each file. An Environment is ready when all its files are."),
});

/** What both versions have in common. */
export const environment = {
  group: "metal.sidero.dev",
  kind: "Environment",
  plural: "environments",
  scope: "Cluster",
  doc: "Kernel, initial RAM disk and kernel arguments that machines boot over the network. The one named default is made when missing.",
  columns: [
    { name: "Kernel", type: "string", description: "URL of the kernel", jsonPath: ".spec.kernel.url" },
    { name: "Initrd", type: "string", description: "URL of the initial RAM disk", jsonPath: ".spec.initrd.url" },
    { name: "Ready", type: "string", description: "Files are there", jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    // The column above is upstream's, and shows the first file alone.
    {
      name: "Pending",
      type: "string",
      description: "Why a file is not there, of the first that is not",
      jsonPath: '.status.conditions[?(@.status=="False")].reason',
    },
    { name: "Age", type: "date", description: "Time since creation", jsonPath: ".metadata.creationTimestamp" },
  ],
  spec: EnvironmentSpec.doc("What to boot."),
  status: EnvironmentStatus.doc("What has been downloaded."),
} as const;

export const Environment = kind({ ...environment, version: "v1alpha2" });
export type Environment = Resource<typeof Environment>;
