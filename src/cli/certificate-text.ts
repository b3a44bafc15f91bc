/** An erase record for people. */
import type { SignatureText } from "#decide/wipe/record.ts";
import type { WipeOrder } from "#kinds/metal/v1alpha2/server.ts";
import type { Style } from "./boot-text.ts";

export function certificateLines(name: string, wipe: WipeOrder, signed: SignatureText, style: Style): string[] {
  const { manufacturer, productName, serialNumber } = wipe.machine ?? {};
  const machine = [manufacturer, productName].filter(Boolean).join(" ");
  const { disks = [] } = wipe;
  return [
    style("bold", `Erase record of ${name}`),
    ...(machine === "" ? [] : [`  machine    ${machine}${serialNumber === undefined ? "" : `, serial number ${serialNumber}`}`]),
    `  order      ${wipe.id}: ${wipe.reason}, ${wipe.orderedAt}`,
    `  wiped      ${wipe.mode ?? "?"}, ${wipe.startedAt ?? "?"} to ${wipe.finishedAt ?? "?"}`,
    `  signature  good, key ${signed.keyId}`,
    ...(disks.length === 0 ? ["  no disks"] : []),
    ...disks.flatMap(({ name: disk, model, serial, bytes, method, state, verified, detail }) => {
      const size = bytes === undefined ? undefined : `${(bytes / 1e9).toFixed(1)} GB`;
      const what = [model, serial === undefined ? undefined : `S/N ${serial}`, size].filter(Boolean).join(", ");
      const done = state === "done" ? `${method}${verified === true ? ", read back" : ", not verified"}` : state;
      return [
        `  ${disk.padEnd(10)} ${state === "done" ? style("green", done) : style("yellow", done)}  ${what}`,
        ...(detail === undefined ? [] : [`             ${detail}`]),
      ];
    }),
  ];
}
