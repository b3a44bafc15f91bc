/** What SideroLink reads and writes of the Kubernetes API: ServerBindings, and the Secret that makes the installation what it is. */
import type { Reported } from "#decide/link/effect.ts";
import { type Clock, sleep } from "#io/clock.ts";
import { ServerBinding } from "#kinds/infrastructure/v1alpha3/server-binding.ts";
import type { Client } from "#kube/client.ts";
import type { Recorder } from "#kube/events.ts";
import { entries, entryOf, Secret } from "#kube/secret.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#kube/status.ts";
import type { LinkPort } from "#link/port.ts";
import type { ClusterCondition } from "#schema/condition.ts";
import { Fault } from "#std/fault.ts";
import { equal } from "#std/json.ts";

/** Upstream's, so that its machines find their server again. */
const SECRET = { namespace: "default", name: "siderolink" };
const MOVED = "clusterctl.cluster.x-k8s.io/move";
const GUEST_TOKEN = "guest-token";
const ATTEMPTS = 10;
const PAUSE = 10;

export function createLinkPort(client: Client, events: Recorder, clock: Clock): LinkPort {
  const bindings = client.for(ServerBinding);

  async function write(binding: ServerBinding, { conditions, addresses, hostname }: Reported): Promise<void> {
    const { name = "", resourceVersion = "" } = binding.metadata;
    const spec = { ...(addresses && { addresses: [...addresses] }), ...(hostname !== undefined && { hostname }) };
    const { siderolink: _, metalMachineRef: __, serverClassRef: ___, ...before } = binding.spec ?? { metalMachineRef: {} };
    let current = resourceVersion;
    if (!equal(before, spec)) {
      const written = await bindings.patch(name, { metadata: { resourceVersion: current }, spec });
      current = written.metadata.resourceVersion ?? "";
    }
    if (equal(binding.status?.conditions ?? [], conditions)) return;
    const status = { conditions: conditions.map((condition) => ({ ...condition })) };
    await bindings.patch(name, { metadata: { resourceVersion: current }, status }, { subresource: "status" });
  }

  return {
    binding: (name) => bindings.get(name).catch(unlessAbsent),
    async join({ metadata: { name = "", uid = "" } }, spec, status) {
      await bindings.patch(
        name,
        { metadata: { uid }, status: { siderolink: { boot: null, issuedAt: null, uniqueToken: null, ...status } } },
        { subresource: "status" },
      );
      await bindings.patch(name, { metadata: { uid }, spec: { siderolink: spec } });
    },
    async report(name, change) {
      for (let attempt = 1; ; attempt++) {
        const binding = await bindings.get(name).catch(unlessAbsent);
        if (binding === undefined) return;
        const { addresses, hostname } = binding.spec ?? {};
        const before: Reported = {
          conditions: (binding.status?.conditions ?? []) as readonly ClusterCondition[],
          ...(addresses && { addresses }),
          ...(hostname !== undefined && { hostname }),
        };
        const after = change(before);
        if (after === before) return;
        try {
          return await write(binding, after);
        } catch (error) {
          if (isNotFound(error)) return;
          if (!isConflict(error) || attempt === ATTEMPTS) throw error;
          await sleep(clock, PAUSE * attempt);
        }
      }
    },
    event: (about, type, reason, message) => events.record(about, { type, reason, message }),
  };
}

export interface Installation {
  readonly id: string;
  /** Base64. */
  readonly privateKey: string;
  /** What guests join with, base64url; one that was never asked for is not there. */
  readonly guestToken?: string;
}

/** The one that is on record; `fresh` is put there when there is none. */
export async function installationOf(client: Client, fresh: Installation): Promise<Installation> {
  const secrets = client.for(Secret).in(SECRET.namespace);
  const wanted = {
    metadata: { ...SECRET, labels: { [MOVED]: "" } },
    data: entries({
      "installation-id": fresh.id,
      "private-key": fresh.privateKey,
      ...(fresh.guestToken !== undefined && { [GUEST_TOKEN]: fresh.guestToken }),
    }),
  };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const found = await secrets.get(SECRET.name).catch(unlessAbsent);
    if (found !== undefined && (fresh.guestToken === undefined || entryOf(found, GUEST_TOKEN) !== undefined))
      return readInstallation(found);
    if (found !== undefined) {
      // Another replica may be faster: then its token is the one.
      const { resourceVersion = "" } = found.metadata;
      const patch = { metadata: { resourceVersion }, data: entries({ [GUEST_TOKEN]: fresh.guestToken! }) };
      await secrets.patch(SECRET.name, patch).catch((error: unknown) => {
        if (!isConflict(error) && !isNotFound(error)) throw error;
      });
      continue;
    }
    const made = await secrets.create(wanted).catch((error: unknown) => {
      if (isAlreadyExists(error)) return undefined;
      throw error;
    });
    if (made !== undefined) return fresh;
  }
  throw new Fault("link.installation", `Secret ${SECRET.namespace}/${SECRET.name} comes and goes`, {
    fault: "world",
    retry: "soon",
  });
}

function readInstallation(secret: Secret): Installation {
  const [id, privateKey] = [entryOf(secret, "installation-id"), entryOf(secret, "private-key")];
  if (id === undefined || privateKey === undefined || Buffer.from(privateKey, "base64").length !== 32) {
    const message = `Secret ${SECRET.namespace}/${SECRET.name} has no installation-id, or no private-key of WireGuard`;
    throw new Fault("link.installation", message, { fault: "caller", retry: "never" });
  }
  const guestToken = entryOf(secret, GUEST_TOKEN);
  return { id, privateKey, ...(guestToken !== undefined && { guestToken }) };
}

function unlessAbsent(error: unknown): undefined {
  if (isNotFound(error)) return undefined;
  throw error;
}
