/**
 * Serves files of a directory by HTTP: `node lab/file-server.ts DIRECTORY HOST PORT`. What is asked for with a `uuid` has a file for each: `/configdata?uuid=X` is
 * `configdata/X`. Writes `listening` when it does, and each request.
 */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { join, normalize } from "node:path";

const [directory = ".", host, port] = process.argv.slice(2);

createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://here");
  const path = join(directory, normalize(`${pathname}${searchParams.has("uuid") ? `/${searchParams.get("uuid")}` : ""}`));
  stat(path).then(
    ({ size }) => {
      console.log(`200 ${request.url}`);
      response.writeHead(200, { "content-length": size });
      createReadStream(path).pipe(response);
    },
    () => {
      console.log(`404 ${request.url}`);
      response.writeHead(404).end("not found\n");
    },
  );
}).listen(Number(port), host, () => console.log("listening"));
