/** How a CustomResourceDefinition says its versions are converted (apiextensions-apiserver `validateCustomResourceConversion`). */
import type { FieldError, FieldPath } from "#schema/field.ts";
import { forbidden, invalid, notSupported, required } from "#schema/field.ts";
import { label1035Name, subdomainName } from "#schema/names.ts";

export interface Conversion {
  strategy: string;
  webhook?: {
    clientConfig?: {
      url?: string;
      service?: { namespace: string; name: string; path?: string; port?: number };
      caBundle?: string | null;
    };
    conversionReviewVersions: string[] | null;
  };
}

const REVIEW_VERSIONS = ["v1", "v1beta1"];

/** `path` is `spec.conversion`; the genuine server's internal form has the webhook's parts directly below it. */
export function validateConversion(conversion: Conversion, path: FieldPath): FieldError[] {
  const { strategy, webhook } = conversion;
  const errors: FieldError[] = [];
  if (strategy === "") errors.push(required(path.child("strategy")));
  else if (strategy !== "None" && strategy !== "Webhook") {
    errors.push(notSupported(path.child("strategy"), strategy, ["None", "Webhook"]));
  }
  const configAt = path.child("webhookClientConfig");
  if (strategy === "Webhook") {
    checkClient(webhook?.clientConfig, configAt, errors);
    checkReviewVersions(webhook?.conversionReviewVersions ?? [], path.child("conversionReviewVersions"), errors);
    return errors;
  }
  const detail = "should not be set when strategy is not set to Webhook";
  if (webhook?.clientConfig !== undefined) errors.push(forbidden(configAt, detail));
  if ((webhook?.conversionReviewVersions ?? []).length > 0) {
    errors.push(forbidden(path.child("conversionReviewVersions"), detail));
  }
  return errors;
}

type ClientConfig = NonNullable<NonNullable<Conversion["webhook"]>["clientConfig"]>;

function checkClient(config: ClientConfig | undefined, path: FieldPath, errors: FieldError[]): void {
  if (config === undefined) {
    errors.push(required(path, "required when strategy is set to Webhook"));
  } else if ((config.url === undefined) === (config.service === undefined)) {
    errors.push(required(path, "exactly one of url or service is required"));
  } else if (config.url !== undefined) {
    checkUrl(config.url, path.child("url"), errors);
  } else {
    checkService(config.service!, path.child("service"), errors);
  }
}

function checkUrl(text: string, path: FieldPath, errors: FieldError[]): void {
  const form = "; desired format: https://host[/path]";
  const match = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)!;
  const [, scheme = "", authority = "", , query = "", fragment = ""] = match;
  const [user, host] = authority.includes("@") ? authority.split("@", 2) : [undefined, authority];
  if (scheme.toLowerCase() !== "https") errors.push(invalid(path, scheme, `'https' is the only allowed URL scheme${form}`));
  if (host === "") errors.push(invalid(path, host, `host must be specified${form}`));
  if (user !== undefined) errors.push(invalid(path, user, "user information is not permitted in the URL"));
  if (fragment !== "") errors.push(invalid(path, fragment, "fragments are not permitted in the URL"));
  if (query !== "") errors.push(invalid(path, query, "query parameters are not permitted in the URL"));
}

function checkService(service: NonNullable<ClientConfig["service"]>, path: FieldPath, errors: FieldError[]): void {
  const { name, namespace, port = 443, path: urlPath } = service;
  if (name === "") errors.push(required(path.child("name")));
  if (namespace === "") errors.push(required(path.child("namespace")));
  if (port < 1 || port > 65535) {
    errors.push(invalid(path.child("port"), port, "port is not valid: must be between 1 and 65535, inclusive"));
  }
  if (urlPath === undefined || urlPath === "/" || urlPath === "") return;
  const at = path.child("path");
  if (urlPath === "//") {
    errors.push(invalid(at, urlPath, "segment[0] may not be empty"));
    return;
  }
  if (!urlPath.startsWith("/")) errors.push(invalid(at, urlPath, "must start with a '/'"));
  for (const [i, segment] of urlPath.slice(1).replace(/\/$/, "").split("/").entries()) {
    if (segment === "") errors.push(invalid(at, urlPath, `segment[${i}] may not be empty`));
    else for (const problem of subdomainName(segment)) errors.push(invalid(at, urlPath, `segment[${i}]: ${problem}`));
  }
}

function checkReviewVersions(versions: readonly string[], path: FieldPath, errors: FieldError[]): void {
  if (versions.length === 0) {
    errors.push(required(path));
    return;
  }
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) errors.push(invalid(path.index(i), version, "duplicate version"));
    else for (const problem of label1035Name(version)) errors.push(invalid(path.index(i), version, problem));
  }
  if (!versions.some((version) => REVIEW_VERSIONS.includes(version))) {
    errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(", ")}`));
  }
}
