import { hash } from "node:crypto";
import type { Digest } from "../digest.ts";

export const digest: Digest = (data) => hash("sha256", data, "hex");
