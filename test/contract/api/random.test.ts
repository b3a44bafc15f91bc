/** Random objects, valid and damaged, on both servers: the same verdict, the same faults, and the same object when it is taken. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { families } from "#kinds/index.ts";
import { toCrd } from "#schema/crd.ts";
import { versionsOf } from "#schema/family.ts";
import type { KubeObject } from "#schema/meta.ts";
import type { Schema } from "#schema/structural.ts";
import { damaged, objectOf, valueOf } from "../../arbitrary/object.ts";
import { readKubeconfig } from "../../peers/kubeconfig.ts";
import { withoutPeer } from "../../peers/locate.ts";
import { startPair } from "../../peers/server.ts";
import type { Server } from "../../peers/server.ts";
import { at } from "./case.ts";
import { DEFINITIONS, GROUP } from "./cases/kinds.ts";
import { differences, print } from "./difference.ts";
import { Http } from "./http.ts";
import { Normalizer } from "./normalize.ts";
import { prepare } from "./prepare.ts";

const RUNS = 15 * Number(process.env["SCALE"] ?? 1);
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Rules that only our code can say. */
const ONE_SIDED = /\.(strategicPatches|selector)\b|\.where: Invalid value: (?!.* in body )/;

interface Subject {
  readonly name: string;
  readonly path: string;
  readonly objects: fc.Arbitrary<KubeObject>;
  /** False for older versions: what is left out or added on their way through the stored one is the conversion tests' concern. */
  readonly isStored: boolean;
}

/** Fields that Kubernetes does not prune or fill in the way this generator expects: `valueOf` wants a type everywhere. */
function widgets(): Subject {
  const schema = at(DEFINITIONS[0], "spec.versions.0.schema.openAPIV3Schema") as Schema;
  const metadata = { name: "x" };
  const objects = valueOf(schema).map((body) => ({ apiVersion: `${GROUP}/v1`, kind: "Widget", metadata, ...(body as object) }));
  return { name: "Widget", path: `/apis/${GROUP}/v1/namespaces/default/widgets`, objects, isStored: true };
}

/**
 * What Cluster API's webhooks refuse and fill in, our code does here, and the genuine server cannot know: `test/kinds/oracle.test.ts` asks it about
 * the schemas of these kinds.
 */
const BY_WEBHOOK: ReadonlySet<string> = new Set(["", "addons.", "controlplane."].map((part) => `${part}cluster.x-k8s.io`));

const subjects: readonly Subject[] = [
  widgets(),
  ...families
    .filter(({ storage }) => !BY_WEBHOOK.has(storage.group))
    .flatMap((family) => {
      return versionsOf(family).map((kind) => ({
        name: `${kind.kind} ${kind.version}`,
        path: `/apis/${kind.apiVersion}${kind.namespaced ? "/namespaces/default" : ""}/${kind.plural}`,
        objects: objectOf(kind),
        isStored: kind === family.storage,
      }));
    }),
];

interface Cause {
  readonly field?: string;
  readonly message?: string;
}

/** What the rules of our kinds say. Ours are asked once the schema is content; the genuine server asks its own all the same. */
const RULES = new Set(
  JSON.stringify(families.map(toCrd))
    .matchAll(/"rule":"(?:[^"\\]|\\.)*","message":"([^"]*)"/g)
    .map(([, message]) => message!),
);

function isRule(cause: string): boolean {
  return RULES.values().some((message) => cause.endsWith(message));
}

interface Verdict {
  readonly status: number;
  /** In order of fields, without those that only one of the servers can know. */
  readonly causes: readonly string[];
  /** Refused, but for nothing that the other server could know. */
  readonly isOneSided: boolean;
  readonly object?: unknown;
}

function verdict(status: number, body: unknown, isStored: boolean): Verdict {
  if (status === 201) {
    return { status, causes: [], isOneSided: false, object: isStored ? new Normalizer().value(body) : "taken" };
  }
  const all = ((at(body, "details.causes") ?? []) as Cause[]).map(({ field, message }) => `${field}: ${message}`);
  const known = all.filter((cause) => !ONE_SIDED.test(cause)).sort();
  const ofSchema = known.filter((cause) => !isRule(cause));
  const causes = ofSchema.length > 0 ? ofSchema : known;
  return { status, causes, isOneSided: causes.length === 0 && all.length > 0 };
}

describe("random objects", { skip: withoutPeer("refapi"), timeout: 1_800_000 }, () => {
  const servers: Server[] = [];
  const clients: Http[] = [];

  before(async () => {
    for (const server of await startPair()) {
      servers.push(server);
      clients.push(new Http(readKubeconfig(server.kubeconfig)));
    }
    await Promise.all(clients.map(prepare));
    await install(clients[1]!);
  });

  after(async () => {
    for (const client of clients) client.close();
    await Promise.all(servers.map((server) => server.stop()));
  });

  for (const { name, path, objects, isStored } of subjects) {
    test(name, async () => {
      const judge = async (object: KubeObject): Promise<void> => {
        const body = JSON.stringify(object);
        const headers = { "content-type": "application/json" };
        const call = { method: "POST", path: `${path}?dryRun=All`, headers, body };
        const [ours, genuine] = await Promise.all(
          clients.map(async (client) => {
            const answer = await client.send(call);
            return verdict(answer.status, JSON.parse(answer.body.toString("utf8")), isStored);
          }),
        );
        fc.pre(!ours!.isOneSided);
        const found = differences(ours, genuine);
        assert.equal(found.length, 0, found.map(print).join("\n"));
      };
      const parameters = { endOnFailure: true, includeErrorInReport: true };
      await fc.assert(fc.asyncProperty(objects, judge), { ...parameters, numRuns: RUNS });
      await fc.assert(fc.asyncProperty(damaged(objects), judge), { ...parameters, numRuns: 3 * RUNS });
    });
  }
});

/** Our CRDs on the genuine server, without the webhook that would convert: nobody answers it here. */
async function install(genuine: Http): Promise<void> {
  const headers = { "content-type": "application/json" };
  for (const family of families) {
    const crd = toCrd(family);
    const body = JSON.stringify({ ...crd, spec: { ...crd.spec, conversion: { strategy: "None" } } });
    const answer = await genuine.send({ method: "POST", path: CRDS, headers, body });
    assert.equal(answer.status, 201, answer.body.toString("utf8"));
  }
  for (const { path } of subjects) await served(genuine, path);
}

async function served(genuine: Http, path: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    const { status } = await genuine.send({ method: "GET", path });
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${path} is not served`);
}
