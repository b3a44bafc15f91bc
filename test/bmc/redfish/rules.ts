/** By what rules each vendor's service refuses what others take. The sources are in the headers of the fixtures. */
import { isObject, type JsonObject } from "#std/json.ts";
import { text } from "#wire/redfish/document.ts";
import { refused, reply, type Rule, type Told } from "./replay.ts";

function bootOf({ method, body }: Told): JsonObject | undefined {
  const boot = body["Boot"];
  return method === "PATCH" && isObject(boot) ? boot : undefined;
}

/** Refuses a value that is set already; is at other things now and then; starts the virtual drive by an import, which takes its time. */
export function idrac(options: { readonly onlySlot?: string; readonly modeApart?: boolean } = {}): Rule {
  let wasBusy = false;
  let looks = 0;
  return (told, replay) => {
    const { method, path, body } = told;
    const boot = bootOf(told);
    const now = replay.documents.get(path)?.["Boot"];
    if (boot !== undefined && isObject(now)) {
      const same = Object.keys(boot).find((key) => key !== "BootSourceOverrideTarget" && boot[key] === now[key]);
      if (same !== undefined) return refused(400, "PropertyValueConflict", `${same} has that value already`);
    }
    if (
      boot !== undefined &&
      !path.endsWith("/Settings") &&
      options.modeApart === true &&
      boot["BootSourceOverrideMode"] !== undefined
    ) {
      return refused(400, "PropertyNotWritable");
    }
    if (path.endsWith("/Thermal") && !wasBusy) {
      wasBusy = true;
      return refused(503, "ServiceTemporarilyUnavailable", "data sources are unavailable", { "retry-after": "30" });
    }
    if (path.endsWith("/OemManager.ImportSystemConfiguration")) {
      if (!/ServerBoot\.1#FirstBootDevice">VCD-DVD</.test(text(body, "ImportBuffer") ?? "")) return refused(400, "SYS404");
      return reply(202, undefined, { location: "/redfish/v1/TaskService/TaskMonitors/JID_1" });
    }
    if (path.endsWith("/JID_1") && method === "GET") {
      const isDone = ++looks > 2;
      return reply(isDone ? 200 : 202, { Id: "JID_1", TaskState: isDone ? "Completed" : "Running", TaskStatus: "OK" });
    }
    const slot = /\/VirtualMedia\/(\w+)\/Actions\/VirtualMedia\.InsertMedia$/.exec(path)?.[1];
    if (slot !== undefined && slot !== (options.onlySlot ?? slot)) return reply(204);
    return undefined;
  };
}

/** Never takes a boot mode; takes no Enabled while the target is None; takes no boot settings at all in POST; wants types of events. */
export function ilo(state: { inPost: boolean; forgets?: number }): Rule {
  return (told, replay) => {
    const boot = bootOf(told);
    const now = replay.documents.get(told.path)?.["Boot"];
    if (boot !== undefined && isObject(now)) {
      if (state.inPost) return refused(400, "UnableToModifyDuringSystemPOST");
      if (Object.hasOwn(boot, "BootSourceOverrideMode")) return refused(400, "PropertyNotWritable");
      const target = boot["BootSourceOverrideTarget"] ?? now["BootSourceOverrideTarget"];
      if (Object.hasOwn(boot, "BootSourceOverrideEnabled") && target === "None") return refused(400, "PropertyValueIncompatible");
      if ((state.forgets ?? 0) > 0) {
        state.forgets!--;
        return reply(200, replay.at(told.path));
      }
    }
    const isSubscription = told.method === "POST" && told.path.endsWith("/Subscriptions");
    if (isSubscription && told.body["EventTypes"] === undefined) return refused(400, "PropertyMissing");
    return undefined;
  };
}

/** What a PATCH of Boot does not carry falls back; InsertMedia takes Image alone; Image stays when it was ejected. */
export const supermicro: Rule = (told, replay) => {
  const boot = bootOf(told);
  const now = replay.documents.get(told.path)?.["Boot"];
  if (boot !== undefined && isObject(now)) {
    now["BootSourceOverrideEnabled"] = "Disabled";
    now["BootSourceOverrideMode"] = "Legacy";
  }
  if (told.path.endsWith("/VirtualMedia.InsertMedia") && Object.keys(told.body).some((key) => key !== "Image")) {
    return refused(400, "PropertyUnknown", "The property Inserted is not in the list of valid properties for the resource.");
  }
  if (told.path.endsWith("/VirtualMedia.EjectMedia")) {
    const slot = replay.at(told.path.replace(/\/Actions\/.*$/, ""));
    Object.assign(slot, { Inserted: false, ConnectedVia: "NotConnected" });
    return reply(204);
  }
  return undefined;
};

/** A PATCH must carry the version of the resource, as it is now. */
export function xcc(state: { writesInBetween: number }): Rule {
  return ({ method, path, headers }, replay) => {
    if (method !== "PATCH") return undefined;
    const document = replay.at(path);
    if (state.writesInBetween > 0) {
      state.writesInBetween--;
      document["@odata.etag"] = `"other-${state.writesInBetween}"`;
    }
    if (headers["if-match"] === document["@odata.etag"]) return undefined;
    return refused(412, "PreconditionFailed", "The ETag supplied did not match the ETag required to change this resource.");
  };
}

/** Boot settings are taken in the future state alone, all three together, with a version that is not a weak one. */
export const ami: Rule = (told, replay) => {
  const boot = bootOf(told);
  if (boot === undefined) return undefined;
  if (!told.path.endsWith("/SD")) {
    return refused(
      400,
      "OperationSupportedInFutureStateURI",
      "Support of this Operation is moved to FutureState URI(/redfish/v1/Systems/Self/SD)",
    );
  }
  const wanted = (text(replay.at(told.path), "@odata.etag") ?? "").replace(/^W\//, "");
  if (told.headers["if-match"] === undefined) return refused(428, "PreconditionRequired");
  if (told.headers["if-match"] !== wanted) return refused(412, "PreconditionFailed");
  const missing = ["Target", "Enabled", "Mode"].find((part) => !Object.hasOwn(boot, `BootSourceOverride${part}`));
  return missing === undefined
    ? undefined
    : refused(400, "PropertyMissing", `BootSourceOverride${missing} is a required property`);
};
