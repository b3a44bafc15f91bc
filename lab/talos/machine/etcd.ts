/**
 * etcd, as far as the machine's API shows it. The lab's has one member: the machine that is bootstrapped. Its data is the journal of the cluster's
 * API server; it is there, and the machine is a member, when the directory is. How several members come, go and lose their quorum is simulated (`sim/talos`).
 */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { EPHEMERAL, writeDurably } from "./volumes.ts";

const DATA = `${EPHEMERAL}/lib/etcd`;
const MEMBER = `${DATA}/member`;

export interface Etcd {
  /** Directory of the API server's journal. */
  readonly directory: string;
  /** Undefined before it is bootstrapped. */
  readonly memberId: bigint | undefined;
  /** False when there is one already. */
  bootstrap(): Promise<boolean>;
}

export async function openEtcd(): Promise<Etcd> {
  const read = async (): Promise<bigint | undefined> => {
    const text = await readFile(`${MEMBER}/id`, "utf8").catch(() => undefined);
    return text === undefined ? undefined : BigInt(`0x${text.trim()}`);
  };
  let memberId = await read();
  return {
    directory: `${MEMBER}/snap`,
    get memberId() {
      return memberId;
    },
    async bootstrap() {
      if (memberId !== undefined || existsSync(MEMBER)) return false;
      await mkdir(MEMBER, { recursive: true });
      const id = randomBytes(8).toString("hex");
      await writeDurably(`${MEMBER}/id`, `${id}\n`);
      memberId = BigInt(`0x${id}`);
      return true;
    },
  };
}
