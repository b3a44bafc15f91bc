/*
 * Fetches a path by HTTP/1.1 many times over so many kept-alive connections; bodies are thrown away without being copied, so that it is not
 * what is measured.  http-load ADDRESS PORT PATH CONNECTIONS REQUESTS RATE
 * RATE 0: each connection asks again as soon as it has its answer. Otherwise so many requests a second, each measured from the moment it was due.
 * In PATH `#` stands for the request's number, modulo 1000, as four hexadecimal digits.
 * Prints {"seconds", "bytes", "failed", "p50", "p99"}; bytes of bodies, times of single requests in milliseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IDLE, HEAD, BODY };

struct connection {
  int fd, state;
  char head[8192];
  size_t head_length;
  long left;     /* bytes of the body to come */
  int is_good;
  double due;
};

static struct sockaddr_in target;
static const char *address, *path;
static long requests, asked, ended, failed, bytes;
static double *times, start, rate;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void open_connection(struct connection *c, int epoll) {
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&target, sizeof target) < 0) die("connect");
  int on = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) die("epoll_ctl");
  c->state = IDLE;
}

static void ask(struct connection *c, double due) {
  char request[2048];
  const char *mark = strchr(path, '#');
  int length;
  if (mark == NULL) length = snprintf(request, sizeof request, "GET %s", path);
  else length = snprintf(request, sizeof request, "GET %.*s%04lx%s", (int)(mark - path), path, asked % 1000, mark + 1);
  length += snprintf(request + length, sizeof request - length, " HTTP/1.1\r\nHost: %s\r\n\r\n", address);
  if (send(c->fd, request, length, MSG_NOSIGNAL) != length) die("send");
  asked++;
  c->state = HEAD;
  c->head_length = 0;
  c->due = due;
}

static void end(struct connection *c) {
  times[ended++] = now() - c->due;
  if (!c->is_good) failed++;
  c->state = IDLE;
  if (rate == 0 && asked < requests) ask(c, now());
}

/* The head is there: how much is to come. */
static int begin_body(struct connection *c, size_t head) {
  c->head[head - 1] = 0;
  const char *length = strcasestr(c->head, "\r\ncontent-length:");
  if (length == NULL) return 0;
  c->is_good = strncmp(c->head, "HTTP/1.1 200", 12) == 0;
  long size = atol(length + 17);
  bytes += size;
  c->left = size - (long)(c->head_length - head);
  c->state = BODY;
  if (c->left == 0) end(c);
  return 1;
}

static void hear(struct connection *c) {
  for (;;) {
    ssize_t got;
    if (c->state == BODY) {
      got = recv(c->fd, NULL, c->left < 1 << 20 ? c->left : 1 << 20, MSG_TRUNC | MSG_DONTWAIT);
    } else {
      got = recv(c->fd, c->head + c->head_length, sizeof c->head - 1 - c->head_length, MSG_DONTWAIT);
    }
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      fprintf(stderr, "a connection ended in the middle\n");
      exit(1);
    }
    if (c->state == BODY) {
      c->left -= got;
      if (c->left == 0) end(c);
      continue;
    }
    c->head_length += got;
    c->head[c->head_length] = 0;
    char *stop = memmem(c->head, c->head_length, "\r\n\r\n", 4);
    if (stop == NULL) continue;
    if (!begin_body(c, stop - c->head + 4)) {
      fprintf(stderr, "an answer without its length: %s\n", c->head);
      exit(1);
    }
  }
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int count, char **arguments) {
  if (count != 7) return fprintf(stderr, "http-load ADDRESS PORT PATH CONNECTIONS REQUESTS RATE\n"), 2;
  address = arguments[1];
  target.sin_family = AF_INET;
  inet_pton(AF_INET, address, &target.sin_addr);
  target.sin_port = htons(atoi(arguments[2]));
  path = arguments[3];
  int connections = atoi(arguments[4]);
  requests = atol(arguments[5]);
  rate = atof(arguments[6]);
  times = calloc(requests, sizeof *times);
  struct connection *all = calloc(connections, sizeof *all);
  int epoll = epoll_create1(0);
  for (int i = 0; i < connections; i++) open_connection(&all[i], epoll);
  start = now();
  for (int i = 0; rate == 0 && i < connections && asked < requests; i++) ask(&all[i], start);
  while (ended < requests) {
    struct epoll_event events[256];
    int ready = epoll_wait(epoll, events, 256, rate == 0 ? 1000 : 1);
    for (int i = 0; i < ready; i++) hear(events[i].data.ptr);
    for (int i = 0; rate > 0 && asked < requests; i++) {
      double due = start + asked / rate;
      if (due > now()) break;
      /* With none idle it waits, and its time goes on. */
      while (i < connections && all[i].state != IDLE) i++;
      if (i == connections) break;
      ask(&all[i], due);
    }
  }
  double seconds = now() - start;
  qsort(times, requests, sizeof *times, by_size);
  printf("{\"seconds\":%.6f,\"bytes\":%ld,\"failed\":%ld,\"p50\":%.3f,\"p99\":%.3f}\n", seconds, bytes, failed, times[requests / 2] * 1e3,
         times[requests * 99 / 100] * 1e3);
  return 0;
}
