import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ADDRESS_SIZE, IPMICTL_RECEIVE_MSG_TRUNC, IPMICTL_SEND_COMMAND, MOST_DATA, MSG, RECV, REQ, SYSTEM } from "./layout.ts";

const PROGRAM = `
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <linux/ipmi.h>
#define AT(type, field) offsetof(struct type, field)
int main(void) {
  printf("[%lu, %lu, %d, %zu,", (unsigned long)IPMICTL_SEND_COMMAND, (unsigned long)IPMICTL_RECEIVE_MSG_TRUNC, IPMI_MAX_MSG_LENGTH,
    sizeof(struct ipmi_addr));
  printf("[%zu, %zu, %zu, %zu, %zu],", sizeof(struct ipmi_req), AT(ipmi_req, addr), AT(ipmi_req, addr_len), AT(ipmi_req, msgid),
    AT(ipmi_req, msg));
  printf("[%zu, %zu, %zu, %zu, %zu, %zu],", sizeof(struct ipmi_recv), AT(ipmi_recv, recv_type), AT(ipmi_recv, addr),
    AT(ipmi_recv, addr_len), AT(ipmi_recv, msgid), AT(ipmi_recv, msg));
  printf("[%zu, %zu, %zu, %zu, %zu],", sizeof(struct ipmi_msg), AT(ipmi_msg, netfn), AT(ipmi_msg, cmd), AT(ipmi_msg, data_len),
    AT(ipmi_msg, data));
  printf("[%zu, %zu, %zu, %zu]]", sizeof(struct ipmi_system_interface_addr), AT(ipmi_system_interface_addr, addr_type),
    AT(ipmi_system_interface_addr, channel), AT(ipmi_system_interface_addr, lun));
  return 0;
}
`;

test("numbers and offsets are those of the C compiler and the kernel's header", () => {
  const directory = mkdtempSync(join(tmpdir(), "ipmi-layout-"));
  try {
    writeFileSync(join(directory, "layout.c"), PROGRAM);
    execFileSync("gcc", ["-o", "layout", "layout.c"], { cwd: directory });
    const said: unknown = JSON.parse(execFileSync(join(directory, "layout"), { encoding: "utf8" }));
    assert.deepEqual(said, [
      IPMICTL_SEND_COMMAND,
      IPMICTL_RECEIVE_MSG_TRUNC,
      MOST_DATA,
      ADDRESS_SIZE,
      Object.values(REQ),
      Object.values(RECV),
      Object.values(MSG),
      Object.values(SYSTEM),
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
