/** Machines that ask for their configuration, so many a second whatever the answers take; each time counts from when the request was due. A process of its own. */
import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";

const [file = "", rate = "1000"] = process.argv.slice(2);
const urls = readFileSync(file, "utf8").trim().split("\n");
const agent = new Agent({ keepAlive: true, maxSockets: 128 });

function ask(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      let bytes = 0;
      answer.on("data", (piece: Buffer) => void (bytes += piece.length));
      answer.on("end", () => (answer.statusCode === 200 ? resolve(bytes) : reject(new Error(`${url}: ${answer.statusCode}`))));
      answer.on("error", reject);
    }).on("error", reject);
  });
}

const times: number[] = [];
let bytes = 0;
const start = performance.now() + 100;
await Promise.all(
  urls.map(async (url, i) => {
    const due = start + (i * 1000) / Number(rate);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
    const length = await ask(url);
    bytes += length;
    times.push(performance.now() - due);
  }),
);
const took = performance.now() - start;
times.sort((a, b) => a - b);
const at = (part: number): number => times[Math.min(times.length - 1, Math.floor(times.length * part))]!;
console.log(JSON.stringify({ perSecond: (urls.length / took) * 1000, p50: at(0.5), p99: at(0.99), bytes }));
