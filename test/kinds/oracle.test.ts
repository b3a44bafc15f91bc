/** Our CRDs and rules, judged by the genuine API server: it takes the CRDs as they are, and says of objects what our code says. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { validateScale } from "#apiserver/handlers/scale.ts";
import { families } from "#kinds/index.ts";
import { toCrd } from "#schema/crd.ts";
import { applyDefaults } from "#schema/default.ts";
import { toExtension, versionsOf } from "#schema/family.ts";
import type { Family } from "#schema/family.ts";
import { printFieldError } from "#schema/field.ts";
import type { Kind } from "#schema/kind.ts";
import type { KubeObject } from "#schema/meta.ts";
import { prune } from "#schema/prune.ts";
import { validate } from "#schema/validate.ts";
import { clone, isObject } from "#std/json.ts";
import type { JsonObject } from "#std/json.ts";
import { damaged, objectOf } from "../arbitrary/object.ts";
import { Http } from "../contract/api/http.ts";
import { readKubeconfig } from "../peers/kubeconfig.ts";
import { locateRefapi, withoutPeer } from "../peers/locate.ts";
import { startGenuine } from "../peers/server.ts";
import type { Server } from "../peers/server.ts";

const RUNS = 40 * Number(process.env["SCALE"] ?? 1);
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Rules that only code can say; a genuine server without our webhooks knows nothing of them. */
const CODE_ONLY = /\.(strategicPatches|selector)\b/;

/** Cluster API's own kinds have no CEL: all beyond their schemas is said by webhooks, theirs and ours. */
const BY_WEBHOOKS = /^(addons\.)?cluster\.x-k8s\.io$/;

/** What a genuine server adds when it did not get as far as CEL. */
const RULES_SKIPPED =
  "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; " +
  "correct the existing errors to complete validation";

describe("the genuine API server", { skip: withoutPeer("refapi") }, () => {
  let server: Server;
  let http: Http;
  before(async () => {
    server = await startGenuine();
    http = new Http(readKubeconfig(server.kubeconfig));
  });
  after(async () => {
    http.close();
    await server.stop();
  });

  async function send(method: string, path: string, body?: unknown, type = "application/json"): Promise<[number, JsonObject]> {
    const headers = { "content-type": type };
    const answer = await http.send({ method, path, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    return [answer.status, JSON.parse(answer.body.toString("utf8")) as JsonObject];
  }

  /** Resolves when the CRD is established; the answer after that. */
  async function established(name: string): Promise<JsonObject> {
    for (let i = 0; i < 200; i++) {
      const [, crd] = await send("GET", `${CRDS}/${name}`);
      const { conditions } = (crd["status"] ?? {}) as { conditions?: { type: string; status: string }[] | null };
      if (conditions?.some(({ type, status }) => type === "Established" && status === "True")) return crd;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`${name} is not established`);
  }

  test("takes every CRD unchanged", async () => {
    for (const family of families) {
      const crd = toCrd(family);
      const [status, answer] = await send("POST", CRDS, crd);
      assert.equal(status, 201, JSON.stringify(answer));
      const kept = await established(crd.metadata.name);
      const conversion = crd.spec.conversion ?? { strategy: "None" };
      const port = { clientConfig: { service: { port: 443 } } };
      const expected = { ...crd.spec, conversion: crd.spec.conversion ? merged(conversion, { webhook: port }) : conversion };
      assert.deepEqual(kept["spec"], JSON.parse(JSON.stringify(expected)));
      const conditions = (kept["status"] as { conditions: { type: string }[] }).conditions.map(({ type }) => type);
      assert.deepEqual(conditions.sort(), ["Established", "NamesAccepted"], "there is something to complain about");
    }
  });

  test("explains our fields with kubectl", () => {
    const kubectl = join(locateRefapi(), "kubectl");
    const explain = (...args: string[]) =>
      execFileSync(kubectl, ["--kubeconfig", server.kubeconfig, "explain", ...args], { encoding: "utf8" });
    assert.match(explain("servers.spec.bmc.port"), /UDP port of IPMI; 0 means 623/);
    for (const { storage } of families) assert.match(explain(storage.plural, "--recursive"), /FIELDS:[^]*spec/);
  });

  describe("judges objects as our code does", () => {
    before(async () => {
      const unconverted = { spec: { conversion: { strategy: "None", webhook: null } } };
      for (const family of families) {
        const [status] = await send(
          "PATCH",
          `${CRDS}/${toCrd(family).metadata.name}`,
          unconverted,
          "application/merge-patch+json",
        );
        assert.equal(status, 200);
      }
      // What a new schema says takes a moment to reach the handlers.
      await new Promise((resolve) => setTimeout(resolve, 500));
    });

    async function genuineVerdict(kind: Kind, object: KubeObject): Promise<string[]> {
      const namespace = kind.namespaced ? "/namespaces/default" : "";
      const [status, answer] = await send("POST", `/apis/${kind.apiVersion}${namespace}/${kind.plural}?dryRun=All`, object);
      if (status === 201) return [];
      assert.equal(status, 422, JSON.stringify(answer));
      const { causes } = answer["details"] as { causes: { field: string; message: string }[] };
      return causes.map(({ field, message }) => `${field}: ${message}`).sort();
    }

    /** What our code says when an object is created: of the schema, and if that allows (else `isShaped` is false) of the rules. */
    function ourVerdict(family: Family, kind: Kind, object: KubeObject, isShaped: boolean): string[] {
      const read = clone(object);
      // Not taken from a client that creates an object.
      if (kind.hasStatus) delete read["status"];
      const body = read as unknown as JsonObject;
      prune(body, kind.schema);
      applyDefaults(body, kind.schema);
      const errors = [...validate(body, kind.schema), ...validateScale(read, kind.scale, false)].map(printFieldError);
      if (!isShaped) return [...errors, RULES_SKIPPED].sort();
      if (BY_WEBHOOKS.test(kind.group)) return errors.sort();
      const rules = toExtension(family).validate!(read, undefined, { dryRun: true, operation: "CREATE" });
      return [...errors, ...rules.filter(({ field }) => !CODE_ONLY.test(field)).map(printFieldError)].sort();
    }

    for (const family of families) {
      for (const kind of versionsOf(family)) {
        test(`${kind.kind} ${kind.version}`, async () => {
          const judge = async (object: KubeObject) => {
            const genuine = await genuineVerdict(kind, object);
            assert.deepEqual(ourVerdict(family, kind, object, !genuine.includes(RULES_SKIPPED)), genuine, JSON.stringify(object));
          };
          const arbitrary = objectOf(kind);
          await fc.assert(fc.asyncProperty(arbitrary, judge), { numRuns: RUNS, endOnFailure: true });
          await fc.assert(fc.asyncProperty(damaged(arbitrary), judge), { numRuns: 2 * RUNS, endOnFailure: true });
        });
      }
    }
  });
});

/** Objects merged key by key. */
function merged(a: object, b: object): object {
  const result: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const mine = result[key];
    result[key] = isObject(mine) && isObject(value) ? merged(mine, value) : value;
  }
  return result;
}
