/** `kubectl --as`: a master acts as somebody else. Never ignored, since then the master would act with all its own rights. */
import type { Incoming } from "#io/serve.ts";
import { quote } from "#schema/quote.ts";
import { statusFault } from "#kube/status.ts";
import { authenticated } from "./authenticate.ts";
import { MASTERS } from "./authorize.ts";
import type { User } from "./request.ts";

/** The user the headers name, or the sender when they name none. 403 for senders outside system:masters, 400 for groups without a user. */
export function impersonated(sender: User, headers: Incoming["headers"]): User {
  const name = headers["impersonate-user"];
  const groups = headers["impersonate-group"]?.split(", ") ?? [];
  const uid = headers["impersonate-uid"];
  if (name === undefined || name === "") {
    const hasExtra = Object.keys(headers).some((header) => header.startsWith("impersonate-extra-"));
    if (groups.length === 0 && uid === undefined && !hasExtra) return sender;
    throw statusFault("BadRequest", "requested impersonation of a group, uid or extra without impersonating a user");
  }
  if (!sender.groups.includes(MASTERS)) {
    const message = `User ${quote(sender.name)} cannot impersonate resource "users" in API group "" at the cluster scope`;
    throw statusFault("Forbidden", `users ${quote(name)} is forbidden: ${message}`, { name, kind: "users" });
  }
  const user = { name, groups, ...(uid === undefined ? {} : { uid }) };
  return name === "system:anonymous" ? user : authenticated(user);
}
