/** create (POST), update (PUT) and their `status`, `scale` and `finalize` forms: a whole object in the body. */
import type { Outgoing } from "#io/serve.ts";
import { badRequest, conflict } from "#kube/status.ts";
import { apiVersionOf } from "#schema/meta.ts";
import type { KubeObject } from "#schema/meta.ts";
import { bodyType, decodeObject, readBody } from "../codec.ts";
import type { BodyType } from "../codec.ts";
import { storageName } from "../registry.ts";
import { readWriteOptions } from "./options.ts";
import { wipeSystemFields } from "./prepare.ts";
import { applyScale, scaleOf, scaleResource } from "./scale.ts";
import { answer, negotiate, subjectOf } from "./target.ts";
import type { Parts, Target } from "./target.ts";
import { change, insert } from "./write.ts";

export async function create(parts: Parts, target: Target): Promise<Outgoing> {
  const { request, resource } = target;
  negotiate(parts, target);
  const type = typeOfBody(target);
  const body = await readBody(request);
  const { dryRun, fieldValidation } = readWriteOptions(request.query, "CreateOptions");
  const object = decodeObject(body, type, resource, fieldValidation, request.warnings);
  wipeSystemFields(object.metadata);
  matchNamespace(object, target);
  const item = await insert(parts, target, object, { dryRun, warnings: request.warnings });
  return answer(parts, target, 201, item);
}

function typeOfBody({ request, resource: { definition, version } }: Target): BodyType {
  return bodyType(request, apiVersionOf(definition.group, version.name), definition.kind);
}

export async function update(parts: Parts, target: Target): Promise<Outgoing> {
  const { request, subresource } = target;
  negotiate(parts, target);
  const body = await readBody(request);
  const { dryRun, fieldValidation } = readWriteOptions(request.query, "UpdateOptions");
  const type = typeOfBody(target);
  const paths = subresource === "scale" ? target.resource.version.scale! : undefined;
  const resource = paths === undefined ? target.resource : scaleResource(target.resource);
  const decode = (validation: typeof fieldValidation, warnings: string[]): KubeObject => {
    const object = decodeObject(body, type, resource, validation, warnings);
    matchNamespace(object, target);
    matchName(object, target);
    return object;
  };
  const object = decode(fieldValidation, request.warnings);
  const { uid } = object.metadata;
  const allowsCreate = target.resource.definition.strategy.createOnUpdate === true && subresource === "";
  const { item, created } = await change(
    parts,
    target,
    {
      wanted({ uid: present, isRetry, read }) {
        const given = isRetry ? decode("Ignore", []) : object;
        if (uid !== undefined) checkUid(target, uid, present);
        return paths === undefined ? given : applyScale(read(), { ...given, spec: given["spec"] ?? {} }, paths);
      },
      ...(allowsCreate ? { missing: () => object } : {}),
    },
    { dryRun, warnings: request.warnings },
  );
  return answer(parts, target, created ? 201 : 200, paths === undefined ? item : scaleOf(item.object(), paths));
}

/** An object may leave its namespace to the URL, but not contradict it. Throws 400. */
export function matchNamespace(object: KubeObject, target: Target): void {
  const { metadata: meta } = object;
  if (target.namespace === "") delete meta.namespace;
  else if ((meta.namespace ?? target.namespace) === target.namespace) meta.namespace = target.namespace;
  else throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** Throws 400. */
export function matchName(object: KubeObject, { name }: Target): void {
  const said = object.metadata.name ?? "";
  if (said === "") throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (said !== name) throw badRequest(`the name of the object (${said}) does not match the name on the URL (${name})`);
}

/** 409 for an update that is meant for another object of that name; the text is the genuine store's. */
function checkUid(target: Target, wanted: string, present: string): void {
  if (wanted === present) return;
  const key = ["/registry", storageName(target.resource.definition).replace(/^\//, ""), target.namespace, target.name];
  throw conflict(
    subjectOf(target),
    `StorageError: invalid object, Code: 4, Key: ${key.filter((part) => part !== "").join("/")}, ResourceVersion: 0, ` +
      `AdditionalErrorMsg: Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${present}`,
  );
}
