/** Cluster API's APIEndpoint. */
import type { TypeOf } from "#schema/kit.ts";
import { int32, object, string } from "#schema/kit.ts";

/** An unset endpoint travels as an empty host and port 0, so neither has a lower bound. */
export const ApiEndpoint = object({
  host: string().required().max(512).doc("Host name or address of the workload cluster's API server."),
  port: int32().required().doc("TCP port of the workload cluster's API server."),
});
export type ApiEndpoint = TypeOf<typeof ApiEndpoint>;
