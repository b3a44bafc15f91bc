/** The kinds that Kubernetes itself has, as far as this server serves them. */
import type { Definition } from "#schema/definition.ts";
import { customResourceDefinition } from "./custom-resource-definition.ts";
import { event } from "./event.ts";
import { lease } from "./lease.ts";
import { namespace } from "./namespace.ts";
import { node } from "./node.ts";
import { configMap, secret } from "./secret.ts";
import { serviceAccount } from "./account.ts";

export const coreDefinitions: readonly Definition[] = [
  namespace,
  secret,
  configMap,
  event,
  serviceAccount,
  node,
  lease,
  customResourceDefinition,
];
