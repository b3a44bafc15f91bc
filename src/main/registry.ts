/** Where machines are on record: Servers and Secrets of the Kubernetes API. */
import type { Registry, SecretDraft, ServerDraft } from "#agent/api/registry.ts";
import { type Clock, sleep } from "#io/clock.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import { Server } from "#kinds/metal/v1alpha2/server.ts";
import type { Client, Draft } from "#kube/client.ts";
import type { Recorder } from "#kube/events.ts";
import { kindRef } from "#kube/kind.ts";
import { ifThere, isAlreadyExists, isConflict, isNotFound } from "#kube/status.ts";
import { apiVersionOf } from "#schema/meta.ts";
import type { KubeObject, ObjectMeta } from "#schema/meta.ts";
import { encodeBase64 } from "#std/base64.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";

interface Secret extends KubeObject {
  metadata: ObjectMeta;
  type: string;
  data: Record<string, string>;
}

const Secret = kindRef<Secret>({ group: "", version: "v1", kind: "Secret", plural: "secrets", scope: "Namespaced" });
/** How often somebody else may be faster; a machine's calls are few, and its controller writes a Server now and then. */
const ATTEMPTS = 10;
/** What agents' accounts are labelled with (`agent/api/bmc-record.ts`). */
const MOVED = "clusterctl.cluster.x-k8s.io/move";
/** Milliseconds after a conflict; grows with each. */
const PAUSE = 10;

export interface RegistryOptions {
  readonly client: Client;
  readonly events: Recorder;
  readonly clock: Clock;
}

export function createRegistry({ client, events, clock }: RegistryOptions): Registry {
  const servers = client.for(Server);
  const bindings = client.for(ServerBinding);
  const secrets = client.for(Secret);
  const find = (name: string): Promise<Server | undefined> => ifThere(servers.get(name));

  async function write(current: Server, change: (server: Server) => Server): Promise<Server> {
    const wanted = change(current);
    let written = current;
    if (!equal(current.spec, wanted.spec) || !equal(current.metadata, wanted.metadata)) written = await servers.update(wanted);
    if (equal(current.status, wanted.status)) return written;
    return servers.update({ ...written, ...(wanted.status && { status: wanted.status }) }, { subresource: "status" });
  }

  /** The one thing that is not found when something is made. */
  function lacking(owner: Server, { namespace }: SecretDraft, error: unknown): never {
    if (!isNotFound(error)) throw error;
    const message = `the account of the BMC cannot be kept: there is no namespace ${namespace} (--bmc-secret-namespace)`;
    events.record(owner, { type: "Warning", reason: "BMC Update", message });
    throw new Fault("agent.not-ready", message, { fault: "ours", retry: "later", cause: error });
  }

  return {
    server: find,
    binding: (name) => ifThere(bindings.get(name)),
    create: ({ name, annotations, spec }: ServerDraft) => {
      const metadata = annotations === undefined ? { name } : { name, annotations: { ...annotations } };
      return unless(isAlreadyExists, servers.create({ metadata, spec }));
    },
    async edit(name, change) {
      for (let attempt = 1; ; attempt++) {
        const current = await find(name);
        if (current === undefined) return undefined;
        try {
          return await write(current, change);
        } catch (error) {
          if (isNotFound(error)) return undefined;
          if (!isConflict(error) || attempt === ATTEMPTS) throw error;
          // What conflicts may not be on disk yet, and until then it is not what is read.
          await sleep(clock, PAUSE * attempt);
        }
      }
    },
    async secret(namespace, name) {
      const found = await ifThere(secrets.in(namespace).get(name));
      return found && Object.fromEntries(Object.entries(found.data ?? {}).map(([key, value]) => [key, textOf(value)]));
    },
    async pendingAccounts(namespace) {
      const { items } = await secrets.in(namespace).listAll({ labelSelector: MOVED });
      return items.flatMap(({ metadata: { name = "" }, data }) =>
        data?.["pending"] !== undefined && name.endsWith("-bmc") ? [name.slice(0, -"-bmc".length)] : [],
      );
    },
    async putSecret(owner, draft) {
      const place = secrets.in(draft.namespace);
      const wanted = secretOf(owner, draft);
      for (let attempt = 1; ; attempt++) {
        if (
          (await unless(
            isAlreadyExists,
            place.create(wanted).catch((error: unknown) => lacking(owner, draft, error)),
          )) !== undefined
        )
          return;
        const found = await ifThere(place.get(draft.name));
        if (found === undefined && attempt < ATTEMPTS) continue;
        if (found?.metadata.ownerReferences?.some(({ uid }) => uid === owner.metadata.uid) !== true) {
          const message = `Secret ${draft.namespace}/${draft.name} is there and does not belong to the Server`;
          throw new Fault("agent.not-wanted", message, { fault: "peer", retry: "never" });
        }
        const gone = Object.entries(draft.data).flatMap(([key, value]) => (value === undefined ? [[key, null]] : []));
        await place.patch(draft.name, { data: { ...wanted.data, ...Object.fromEntries(gone) } });
        return;
      }
    },
    event: (about, type, reason, message) => events.record(about, { type, reason, message }),
  };
}

function secretOf(owner: Server, { namespace, name, labels, data }: SecretDraft): Draft<Secret> {
  const { name: ownerName = "", uid = "" } = owner.metadata;
  const apiVersion = apiVersionOf(Server.group, Server.version);
  return {
    metadata: {
      name,
      namespace,
      labels: { ...labels },
      ownerReferences: [{ apiVersion, kind: Server.kind, name: ownerName, uid }],
    },
    type: "Opaque",
    data: Object.fromEntries(
      Object.entries(data).flatMap(([key, value]) => (value === undefined ? [] : [[key, encodeBase64(value)]])),
    ),
  };
}

/** Of base 64; what is none is no text either. */
function textOf(value: string): string {
  return Buffer.from(value, "base64").toString();
}

/** What it resolves to, or undefined where it rejects as `expected`. */
async function unless<T>(expected: (error: unknown) => boolean, result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (expected(error)) return undefined;
    throw error;
  }
}
