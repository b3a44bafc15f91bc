/*
 * A disk that remembers and fails, between SQLite and the kernel: an LD_PRELOAD peer for tests.
 *
 * SHIM_DIRECTORY  watched: files directly in it whose names begin with "journal.db" or are "said", and itself, as "."
 * SHIM_LOG        every write, sync and truncation of those is appended to this file, in the order they happened (see trace.ts)
 * SHIM_FAIL       "<call>:<n>:<count>:<errno>": the n-th call (from 0) of that kind on journal files and the count-1 after it fail;
 *                 call is write, sync or truncate. A failing write writes its first half. A failing sync does not sync.
 *                 If the call is written in capitals, the descriptors open at that time also fail whatever is asked of them, for
 *                 good: as when a volume is lost, and comes back for those who open it again.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096, FILES = 64 };
enum call { WRITE, SYNC, TRUNCATE, CALLS };

/* One operation in the log; `length` bytes of data follow: a name for 'O' and 'U', what was written for 'W'. Little endian. */
struct record {
  uint8_t operation; /* 'O'pen, 'W'rite, 'S'ync, failed s'y'nc, 'T'runcate, 'U'nlink */
  uint8_t file;
  uint16_t unused;
  uint32_t length;
  int64_t offset;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char names[FILES][64];
static int file_count;
/* File number + 1 of each descriptor, 0: not watched. */
static uint8_t files[DESCRIPTORS];
static int log_descriptor = -1;
static long calls[CALLS];
static enum call failing = CALLS;
static long failing_from, failing_count;
static int failing_errno;
static int kills_descriptors;
/* Descriptors that fail whatever is asked of them. */
static uint8_t dead[DESCRIPTORS];

__attribute__((constructor)) static void begin(void) {
  const char *log = getenv("SHIM_LOG");
  if (log != NULL) log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const char *fail = getenv("SHIM_FAIL");
  char call[16];
  if (fail != NULL && sscanf(fail, "%15[a-zA-Z]:%ld:%ld:%d", call, &failing_from, &failing_count, &failing_errno) == 4) {
    kills_descriptors = call[0] < 'a';
    failing = (call[0] | 32) == 'w' ? WRITE : (call[0] | 32) == 's' ? SYNC : TRUNCATE;
  }
}

static void record(uint8_t operation, int file, int64_t offset, const void *data, size_t length) {
  if (log_descriptor < 0) return;
  struct record header = {operation, (uint8_t)file, 0, (uint32_t)length, offset};
  char *buffer = malloc(sizeof header + length);
  memcpy(buffer, &header, sizeof header);
  if (length > 0) memcpy(buffer + sizeof header, data, length);
  if (syscall(SYS_write, log_descriptor, buffer, sizeof header + length) < 0) abort();
  free(buffer);
}

/* The name of a watched file, or NULL. */
static const char *watched(const char *path) {
  const char *directory = getenv("SHIM_DIRECTORY");
  if (directory == NULL || path == NULL) return NULL;
  size_t length = strlen(directory);
  if (strncmp(path, directory, length) != 0) return NULL;
  if (path[length] == '\0') return ".";
  if (path[length] != '/') return NULL;
  const char *name = path + length + 1;
  return strncmp(name, "journal.db", 10) == 0 || strcmp(name, "said") == 0 ? name : NULL;
}

static int file_of(const char *name) {
  for (int i = 0; i < file_count; i++)
    if (strcmp(names[i], name) == 0) return i;
  snprintf(names[file_count], sizeof names[0], "%s", name);
  return file_count++;
}

static void opened(int descriptor, const char *path) {
  const char *name = watched(path);
  if (descriptor < 0 || descriptor >= DESCRIPTORS) return;
  pthread_mutex_lock(&lock);
  files[descriptor] = 0;
  dead[descriptor] = 0;
  if (name != NULL) {
    int file = file_of(name);
    files[descriptor] = (uint8_t)(file + 1);
    record('O', file, 0, name, strlen(name));
  }
  pthread_mutex_unlock(&lock);
}

static int file_at(int descriptor) {
  return descriptor >= 0 && descriptor < DESCRIPTORS ? files[descriptor] - 1 : -1;
}

static int fails(enum call call, int descriptor) {
  if (strncmp(names[file_at(descriptor)], "journal.db", 10) != 0) return 0;
  long number = calls[call]++;
  if (kills_descriptors && call == failing && number == failing_from)
    for (int i = 0; i < DESCRIPTORS; i++) dead[i] = files[i] != 0;
  return dead[descriptor] || (call == failing && number >= failing_from && number < failing_from + failing_count);
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  int descriptor = (int)syscall(SYS_openat, AT_FDCWD, path, flags, va_arg(arguments, mode_t));
  va_end(arguments);
  opened(descriptor, path);
  return descriptor;
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));

static ssize_t write_at(int descriptor, const void *data, size_t length, int64_t offset, int positioned) {
  int file = file_at(descriptor);
  if (file < 0) return positioned ? syscall(SYS_pwrite64, descriptor, data, length, offset) : syscall(SYS_write, descriptor, data, length);
  pthread_mutex_lock(&lock);
  if (!positioned) offset = lseek(descriptor, 0, SEEK_CUR);
  int fail = fails(WRITE, descriptor);
  size_t asked = !fail ? length : dead[descriptor] ? 0 : length / 2;
  ssize_t written = positioned ? syscall(SYS_pwrite64, descriptor, data, asked, offset) : syscall(SYS_write, descriptor, data, asked);
  if (written > 0) record('W', file, offset, data, (size_t)written);
  pthread_mutex_unlock(&lock);
  if (!fail) return written;
  errno = failing_errno;
  return -1;
}

ssize_t write(int descriptor, const void *data, size_t length) { return write_at(descriptor, data, length, 0, 0); }
ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) { return write_at(descriptor, data, length, offset, 1); }
ssize_t pwrite64(int descriptor, const void *data, size_t length, off64_t offset) { return write_at(descriptor, data, length, offset, 1); }

/* The real fsync would only cost time: what would be on the disk is computed from the log. */
int fsync(int descriptor) {
  int file = file_at(descriptor);
  if (file < 0) return 0;
  pthread_mutex_lock(&lock);
  int fail = fails(SYNC, descriptor);
  record(fail ? 'y' : 'S', file, 0, NULL, 0);
  pthread_mutex_unlock(&lock);
  if (!fail) return 0;
  errno = failing_errno;
  return -1;
}
int fdatasync(int descriptor) __attribute__((alias("fsync")));

int ftruncate(int descriptor, off_t length) {
  int file = file_at(descriptor);
  if (file < 0) return (int)syscall(SYS_ftruncate, descriptor, length);
  pthread_mutex_lock(&lock);
  int fail = fails(TRUNCATE, descriptor);
  int result = fail ? -1 : (int)syscall(SYS_ftruncate, descriptor, length);
  if (result == 0) record('T', file, length, NULL, 0);
  pthread_mutex_unlock(&lock);
  if (fail) errno = failing_errno;
  return result;
}
int ftruncate64(int descriptor, off64_t length) __attribute__((alias("ftruncate")));

int unlink(const char *path) {
  const char *name = watched(path);
  pthread_mutex_lock(&lock);
  int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  if (name != NULL && result == 0) record('U', file_of(name), 0, name, strlen(name));
  pthread_mutex_unlock(&lock);
  return result;
}

int close(int descriptor) {
  if (descriptor >= 0 && descriptor < DESCRIPTORS) files[descriptor] = 0;
  return (int)syscall(SYS_close, descriptor);
}
