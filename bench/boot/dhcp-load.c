/*
 * DISCOVERs of as many machines, BIOS firmware that boots from the network, at a steady rate by broadcast; counts the OFFERs.
 * dhcp-load DEVICE MACHINES RATE   Prints {"seconds", "answered", "p50", "p99"}; times to the first OFFER in milliseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* How long to listen after the last DISCOVER, in seconds. */
#define PATIENCE 2

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* RFC 2131 §2, RFC 4578. The machine's number is the end of its MAC address and the transaction. */
static size_t discover(uint8_t *p, uint32_t machine) {
  static const uint8_t options[] = {99, 130, 83, 99, 53, 1, 1, 55, 6, 1, 3, 6, 66, 67, 54, 57, 2, 5, 192, 93, 2, 0, 0, 94, 3, 1, 2, 1,
                                    60, 32, 'P', 'X', 'E', 'C', 'l', 'i', 'e', 'n', 't', ':', 'A', 'r', 'c', 'h', ':', '0', '0', '0', '0', '0',
                                    ':', 'U', 'N', 'D', 'I', ':', '0', '0', '2', '0', '0', '1', 255};
  memset(p, 0, 548);
  p[0] = 1;
  p[1] = 1;
  p[2] = 6;
  uint32_t number = htonl(machine);
  memcpy(p + 4, &number, 4);
  p[10] = 0x80; /* answers by broadcast: there is no address yet to send them to */
  p[28] = 0x52;
  p[29] = 0x54;
  memcpy(p + 30, &number, 4);
  memcpy(p + 236, options, sizeof options);
  return 548;
}

int main(int count, char **arguments) {
  if (count != 4) return fprintf(stderr, "dhcp-load DEVICE MACHINES RATE\n"), 2;
  long machines = atol(arguments[2]), sent = 0, answered = 0;
  double rate = atof(arguments[3]), *due = calloc(machines, sizeof *due), *times = calloc(machines, sizeof *times);
  uint8_t *has = calloc(machines, 1);
  int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1, buffer = 8 << 20;
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, arguments[1], strlen(arguments[1])) < 0) die(arguments[1]);
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(68)};
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) die("bind");
  struct sockaddr_in all = {.sin_family = AF_INET, .sin_port = htons(67), .sin_addr.s_addr = INADDR_BROADCAST};
  /* Another run's machines are others. */
  uint32_t base = (uint32_t)time(NULL) << 14;
  double start = now(), last = 0;
  while (answered < machines && !(sent == machines && now() > due[machines - 1] + PATIENCE)) {
    uint8_t packet[2048];
    while (sent < machines && start + sent / rate <= now()) {
      due[sent] = start + sent / rate;
      size_t length = discover(packet, base + sent);
      if (sendto(fd, packet, length, 0, (struct sockaddr *)&all, sizeof all) < 0) die("sendto");
      sent++;
    }
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    poll(&wait, 1, 1);
    ssize_t length;
    while ((length = recv(fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0) {
      uint32_t number;
      memcpy(&number, packet + 4, 4);
      uint32_t machine = ntohl(number) - base;
      /* A reply, an OFFER for a machine of ours that has none yet, with an address. */
      if (length < 243 || packet[0] != 2 || machine >= sent || has[machine] || memcmp(packet + 16, "\0\0\0\0", 4) == 0) continue;
      last = now();
      times[answered++] = last - due[machine];
      has[machine] = 1;
    }
  }
  qsort(times, answered, sizeof *times, by_size);
  printf("{\"seconds\":%.6f,\"answered\":%ld,\"p50\":%.3f,\"p99\":%.3f}\n", last - start, answered, answered ? times[answered / 2] * 1e3 : 0,
         answered ? times[answered * 99 / 100] * 1e3 : 0);
  return 0;
}
