/** Which HTTP a client speaks on a plain connection: one with prior knowledge of HTTP/2 says so first (RFC 9113 §3.4). */
import type { Socket } from "node:net";
import { refuse } from "./http1.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/**
 * Calls `serve` as soon as the first bytes tell, with all of them still to be read from the socket. A client that has not said enough
 * within `time` milliseconds is sent away; one that goes away is forgotten.
 */
export function awaitPreface(socket: Socket, time: number, serve: (socket: Socket, isHttp2: boolean) => void): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => leave(() => refuse(socket, "ERR_HTTP_REQUEST_TIMEOUT")), time);
  const leave = (next: () => void): void => {
    clearTimeout(timer);
    socket.off("data", onData).off("end", onEnd).off("close", onClose);
    next();
  };
  const onData = (bytes: Buffer): void => {
    seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
    const length = Math.min(seen.length, PREFACE.length);
    const fits = PREFACE.compare(seen, 0, length, 0, length) === 0;
    if (fits && length < PREFACE.length) return;
    leave(() => {
      // Paused, so that nothing is read before those who read next are there.
      socket.pause();
      socket.unshift(seen);
      serve(socket, fits);
      if (!fits) socket.resume();
    });
  };
  const onEnd = (): void => leave(() => socket.destroy());
  const onClose = (): void => leave(() => {});
  socket.on("error", () => socket.destroy());
  socket.on("data", onData).once("end", onEnd).once("close", onClose);
}
