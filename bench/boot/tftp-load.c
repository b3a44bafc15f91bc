/*
 * Fetches one file by TFTP many times, from so many sockets at once, and compares every byte: a load generator that takes little of the
 * machine itself.  tftp-load ADDRESS PORT NAME FILE CLIENTS TRANSFERS BLKSIZE WINDOWSIZE   (0: the option is not asked for)
 * Prints {"seconds", "bytes", "repetitions", "failed", "p50", "p99", "cpu"}; times of single transfers in milliseconds, cpu in seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { READ_REQUEST = 1, DATA = 3, ACKNOWLEDGEMENT = 4, ERROR = 5, OPTIONS = 6, PATIENCE = 20 };

struct client {
  int fd;
  struct sockaddr_in server;   /* who answers: its port is known with the first answer */
  uint64_t received;           /* blocks of the unbroken beginning */
  unsigned since;              /* blocks that are not acknowledged yet */
  unsigned blksize, window;
  uint8_t last[600];           /* what was said last, to say it again */
  size_t last_length;
  double begun, heard;
  int repetitions;
};

static const char *name;
static uint8_t *file;
static size_t size;
static unsigned blksize, window;
static struct sockaddr_in target;
static long begun, ended, failed, repetitions, transfers;
static double *times;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void say(struct client *c) {
  if (sendto(c->fd, c->last, c->last_length, 0, (struct sockaddr *)&c->server, sizeof c->server) < 0 && errno != EAGAIN) die("sendto");
}

static void acknowledge(struct client *c) {
  c->last[0] = 0;
  c->last[1] = ACKNOWLEDGEMENT;
  c->last[2] = c->received >> 8;
  c->last[3] = c->received;
  c->last_length = 4;
  c->since = 0;
  say(c);
}

static void add(struct client *c, const char *text) {
  size_t length = strlen(text) + 1;
  memcpy(c->last + c->last_length, text, length);
  c->last_length += length;
}

static void add_option(struct client *c, const char *option, unsigned value) {
  char text[16];
  if (value == 0) return;
  snprintf(text, sizeof text, "%u", value);
  add(c, option);
  add(c, text);
}

static void begin(struct client *c, int epoll) {
  if (begun == transfers) return;
  begun++;
  c->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) die("socket");
  int buffer = 1 << 20;
  setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll_ctl");
  c->server = target;
  c->received = c->since = c->repetitions = 0;
  c->blksize = 512;
  c->window = 1;
  c->last[0] = 0;
  c->last[1] = READ_REQUEST;
  c->last_length = 2;
  add(c, name);
  add(c, "octet");
  add_option(c, "blksize", blksize);
  add_option(c, "windowsize", window);
  c->begun = c->heard = now();
  say(c);
}

static void end(struct client *c, int epoll, int is_good) {
  close(c->fd);
  c->fd = -1;
  if (is_good) times[ended - failed] = now() - c->begun;
  else failed++;
  ended++;
  begin(c, epoll);
}

static unsigned option(const uint8_t *packet, size_t length, const char *wanted, unsigned otherwise) {
  const char *at = (const char *)packet + 2, *stop = (const char *)packet + length;
  while (at < stop) {
    const char *value = at + strlen(at) + 1;
    if (value >= stop) break;
    if (strcasecmp(at, wanted) == 0) return atoi(value);
    at = value + strlen(value) + 1;
  }
  return otherwise;
}

static void hear(struct client *c, int epoll) {
  static uint8_t packet[65536 + 1];
  for (;;) {
    struct sockaddr_in from;
    socklen_t from_length = sizeof from;
    ssize_t length = recvfrom(c->fd, packet, sizeof packet - 1, 0, (struct sockaddr *)&from, &from_length);
    if (length < 0) return;
    packet[length] = 0;
    c->server = from;
    c->heard = now();
    unsigned number = packet[2] << 8 | packet[3];
    if (packet[1] == OPTIONS && c->received == 0) {
      c->blksize = option(packet, length, "blksize", 512);
      c->window = option(packet, length, "windowsize", 1);
      acknowledge(c);
    } else if (packet[1] == DATA) {
      if (number != ((c->received + 1) & 0xffff)) {
        /* A gap, or something twice: say once how far it is. */
        if (c->window > 1 && c->since > 0) acknowledge(c);
        continue;
      }
      size_t at = c->received * c->blksize, got = length - 4;
      if (at + got > size || memcmp(file + at, packet + 4, got) != 0) {
        fprintf(stderr, "block %lu is not what it should be\n", c->received + 1);
        exit(1);
      }
      c->received++;
      c->since++;
      if (got < c->blksize) {
        acknowledge(c);
        end(c, epoll, at + got == size);
        return;
      }
      if (c->since >= c->window) acknowledge(c);
    } else if (packet[1] == ERROR) {
      fprintf(stderr, "error %u: %s\n", number, packet + 4);
      end(c, epoll, 0);
      return;
    }
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  if (count != 9) return fprintf(stderr, "tftp-load ADDRESS PORT NAME FILE CLIENTS TRANSFERS BLKSIZE WINDOWSIZE\n"), 2;
  target.sin_family = AF_INET;
  inet_pton(AF_INET, arguments[1], &target.sin_addr);
  target.sin_port = htons(atoi(arguments[2]));
  name = arguments[3];
  int fd = open(arguments[4], O_RDONLY);
  if (fd < 0) die(arguments[4]);
  size = lseek(fd, 0, SEEK_END);
  file = malloc(size);
  if (pread(fd, file, size, 0) != (ssize_t)size) die("pread");
  int clients = atoi(arguments[5]);
  transfers = atol(arguments[6]);
  blksize = atoi(arguments[7]);
  window = atoi(arguments[8]);
  times = calloc(transfers, sizeof *times);
  struct client *all = calloc(clients, sizeof *all);
  int epoll = epoll_create1(0);
  double start = now(), looked = start;
  for (int i = 0; i < clients; i++) {
    all[i].fd = -1;
    begin(&all[i], epoll);
  }
  while (ended < transfers) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, 100);
    for (int i = 0; i < ready; i++) hear(events[i].data.ptr, epoll);
    double time = now();
    if (time - looked < 0.1) continue;
    looked = time;
    for (int i = 0; i < clients; i++) {
      if (all[i].fd < 0 || time - all[i].heard < 1) continue;
      all[i].heard = time;
      repetitions++;
      if (++all[i].repetitions > PATIENCE) end(&all[i], epoll, 0);
      else say(&all[i]);
    }
  }
  double seconds = now() - start;
  long good = ended - failed;
  qsort(times, good, sizeof *times, by_size);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  printf("{\"seconds\":%.6f,\"bytes\":%zu,\"repetitions\":%ld,\"failed\":%ld,\"p50\":%.3f,\"p99\":%.3f,\"cpu\":%.3f}\n", seconds, good * size,
         repetitions, failed, good ? times[good / 2] * 1e3 : 0, good ? times[good * 99 / 100] * 1e3 : 0, cpu);
  return 0;
}
