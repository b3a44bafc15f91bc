/** Where images are made from, and where what is fetched and made for them is kept. */
import { homedir } from "node:os";

export const PROJECT: string = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
export const CACHE: string = `${process.env["XDG_CACHE_HOME"] ?? `${homedir()}/.cache`}/sidero/image`;
