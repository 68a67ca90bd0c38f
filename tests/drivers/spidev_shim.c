/* The device file of the SPI bus, answered by a simulated chip at the other end of a socket.
 *
 *   cc -shared -fPIC -o shim.so spidev_shim.c
 *   SPI_SOCKET=3 LD_PRELOAD=shim.so python ...
 *
 * Whoever opens /dev/spidev0.0 gets that socket, which must be of the kind SOCK_SEQPACKET. One packet
 * is one chip-select frame: a request, answered by an errno and as many bytes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LONGEST 4096 /* bytes in one transfer, as in the kernel */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct request { uint32_t hz; uint16_t delay_us; uint8_t mode, unused; uint8_t bytes[LONGEST]; };
struct answer { int32_t error; uint8_t bytes[LONGEST]; };

static int chip = -1;
static uint8_t mode, bits = 8;
static uint32_t max_hz = 500000;

static int fail(int error) { errno = error; return -1; }

static ssize_t exchange(const void *out, void *in, size_t count, uint32_t hz, uint16_t delay_us)
{
    struct request request = {.hz = hz ? hz : max_hz, .delay_us = delay_us, .mode = mode};
    struct answer answer;
    if (count > LONGEST) return fail(EMSGSIZE);
    if (out) memcpy(request.bytes, out, count);
    if (send(chip, &request, offsetof(struct request, bytes) + count, MSG_NOSIGNAL) < 0) return -1;
    if (recv(chip, &answer, sizeof answer, 0) < (ssize_t)sizeof answer.error) return fail(EIO);
    if (answer.error) return fail(answer.error);
    if (in) memcpy(in, answer.bytes, count);
    return count;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t permissions = va_arg(rest, mode_t);
    va_end(rest);
    if (strncmp(path, "/dev/spidev", 11)) return REAL(open)(path, flags, permissions);

    const char *end = getenv("SPI_SOCKET");
    if (strcmp(path, "/dev/spidev0.0") || !end) return fail(ENOENT);
    return chip = dup(atoi(end));
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int close(int file)
{
    if (file == chip) chip = -1;
    return REAL(close)(file);
}

ssize_t read(int file, void *buffer, size_t count)
{
    if (file != chip) return REAL(read)(file, buffer, count);
    return exchange(NULL, buffer, count, 0, 0);
}

/* What read() is called where the extension was compiled with _FORTIFY_SOURCE. */
ssize_t __read_chk(int file, void *buffer, size_t count, size_t size)
{
    if (count > size) abort();
    return read(file, buffer, count);
}

ssize_t write(int file, const void *buffer, size_t count)
{
    if (file != chip) return REAL(write)(file, buffer, count);
    return exchange(buffer, NULL, count, 0, 0);
}

int ioctl(int file, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (file != chip) return REAL(ioctl)(file, request, argument);

    struct spi_ioc_transfer *transfer = argument;
    switch (request) {
    case SPI_IOC_RD_MODE: *(uint8_t *)argument = mode; return 0;
    case SPI_IOC_WR_MODE: mode = *(uint8_t *)argument; return 0;
    case SPI_IOC_RD_BITS_PER_WORD: *(uint8_t *)argument = bits; return 0;
    case SPI_IOC_WR_BITS_PER_WORD: bits = *(uint8_t *)argument; return 0;
    case SPI_IOC_RD_MAX_SPEED_HZ: *(uint32_t *)argument = max_hz; return 0;
    case SPI_IOC_WR_MAX_SPEED_HZ: max_hz = *(uint32_t *)argument; return 0;
    case SPI_IOC_MESSAGE(1):
        return exchange((void *)(uintptr_t)transfer->tx_buf, (void *)(uintptr_t)transfer->rx_buf,
                        transfer->len, transfer->speed_hz, transfer->delay_usecs);
    default: return fail(ENOTTY);
    }
}
