/* LD_PRELOAD: logs what a process writes, syncs and deletes below $POWER_LOG_FOLDER, in its order.
 *
 *   W path offset length \n data     S path (fsync of a file or folder)     T path length
 *   C path (made)                    U path (deleted)                L path 0 length \n old path
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static const char *path_of(int fd) {
    static char path[4096];
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length < 0 ? 0 : length] = 0;
    return path;
}

static int ours(const char *path) {
    const char *folder = getenv("POWER_LOG_FOLDER");
    return folder && !strncmp(path, folder, strlen(folder));
}

static void note(char what, const char *path, long offset, long length, const void *data) {
    if (!ours(path)) return;
    char line[4352];
    int count = snprintf(line, sizeof line, "%c %ld %ld %s\n", what, offset, length, path);
    int log = atoi(getenv("POWER_LOG_FD"));
    REAL(write)(log, line, count);
    if (data) REAL(write)(log, data, length);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    note('W', path_of(fd), offset, length, data);
    return REAL(pwrite64)(fd, data, length, offset);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) {
    return pwrite64(fd, data, length, offset);
}
int ftruncate64(int fd, off64_t length) {
    note('T', path_of(fd), 0, length, NULL);
    return REAL(ftruncate64)(fd, length);
}
int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }
int fsync(int fd) {
    note('S', path_of(fd), 0, 0, NULL);
    return REAL(fsync)(fd);
}
int fdatasync(int fd) {
    note('S', path_of(fd), 0, 0, NULL);
    return REAL(fdatasync)(fd);
}
int unlink(const char *path) {
    note('U', path, 0, 0, NULL);
    return REAL(unlink)(path);
}
int link(const char *path, const char *another) {
    note('L', another, 0, strlen(path), path);
    return REAL(link)(path, another);
}
int rename(const char *path, const char *another) {
    note('L', another, 0, strlen(path), path);
    note('U', path, 0, 0, NULL);
    return REAL(rename)(path, another);
}
static int opened(int (*open_)(const char *, int, ...), const char *path, int flags, mode_t mode) {
    int made = (flags & O_CREAT) && access(path, F_OK);
    int fd = open_(path, flags, mode);
    if (made && fd >= 0) note('C', path, 0, 0, NULL);
    return fd;
}
static mode_t mode_of(int flags, va_list rest) { return flags & O_CREAT ? va_arg(rest, mode_t) : 0; }

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return opened(REAL(open64), path, flags, mode);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return opened(REAL(open), path, flags, mode);
}
