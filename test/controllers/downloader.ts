/** A process that downloads one file into a blob store and says `done`; made to be killed. Arguments: directory, URL, SHA-512 or "". */
import { Downloads } from "#controllers/environment/downloads.ts";
import { silent } from "#io/log.ts";
import { openBlobs } from "#io/node/blobs.ts";
import { systemClock } from "#io/node/clock.ts";
import { createDownloads } from "#io/node/download.ts";
import { systemEntropy } from "#io/node/entropy.ts";

const [directory = "", url = "", sha512 = ""] = process.argv.slice(2);
const blobs = await openBlobs({ directory, log: silent });
const { download } = createDownloads();
const downloads = new Downloads({ blobs, download, clock: systemClock, entropy: systemEntropy, log: silent });
const wish = { url, sha512: sha512 === "" ? undefined : sha512 };
downloads.onChange(() => {
  const state = downloads.stateOf(wish);
  if (state === undefined) {
    console.log("done");
    process.exit(0);
  }
  if (state.is === "failed") {
    console.log(state.because.message);
    process.exit(1);
  }
});
downloads.start(wish);
console.log("begun");
setInterval(() => {}, 1000);
