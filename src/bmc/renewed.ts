/** Transports that can be used again after they were closed: the end of a session with a BMC need not be the last. */
import type { HttpTransport, OpenHttp } from "#io/http.ts";

export function renewed(open: OpenHttp): OpenHttp {
  return (target) => {
    let current: HttpTransport | undefined;
    return {
      request: (request) => (current ??= open(target)).request(request),
      async close() {
        const last = current;
        current = undefined;
        await last?.close();
      },
    };
  };
}
