/** What every case finds: the suite's kinds, established and served. */
import { DEFINITIONS, GADGETS, WIDGETS } from "./cases/kinds.ts";
import { isRefusal } from "./case.ts";
import type { Http } from "./http.ts";
import { Session } from "./session.ts";

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** Creates the definitions and waits until both kinds answer a list. Throws with the server's answer when one is refused. */
export async function prepare(http: Http): Promise<void> {
  const steps = [
    ...DEFINITIONS.map((body) => ({ call: `POST ${CRDS}`, body })),
    ...[WIDGETS, GADGETS].map((path) => ({ call: `GET ${path}`, until: (status: number) => status === 200 })),
  ];
  const exchanges = await new Session(http, "default").run({ name: "prepare", steps });
  const refused = exchanges.find(({ status }) => isRefusal(status));
  if (refused !== undefined) throw new Error(`${refused.call}: ${JSON.stringify(refused.body)}`);
}
