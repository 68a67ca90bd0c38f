/* Print the level of the filtered ECG, once for each message: its index, samples, lowest and highest.
 *
 *     cc examples/subscriber.c -o subscriber -lzmq -lm      (Debian: libzmq3-dev)
 *     ./subscriber [tcp://127.0.0.1:5292]
 *
 * It reads the binary frame, and of the JSON header just one number: use a JSON library for more.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { TOPIC, HEADER, PAYLOAD, FRAMES };

static float little_endian_float(const uint8_t *bytes)
{
    uint32_t word = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
    float value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static long index_of(zmq_msg_t *header)
{
    char text[4096] = "";
    size_t size = zmq_msg_size(header);
    memcpy(text, zmq_msg_data(header), size < sizeof text ? size : sizeof text - 1);
    const char *field = strstr(text, "\"index\":");
    return field ? strtol(field + strlen("\"index\":"), NULL, 10) : -1;
}

static void print_level(zmq_msg_t *header, zmq_msg_t *payload)
{
    const uint8_t *bytes = zmq_msg_data(payload);
    size_t count = zmq_msg_size(payload) / sizeof(float);
    float lowest = INFINITY, highest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        float mv = little_endian_float(bytes + i * sizeof(float));
        if (isnan(mv)) /* not measured */
            continue;
        lowest = fminf(lowest, mv);
        highest = fmaxf(highest, mv);
    }
    if (lowest <= highest)
        printf("%ld: %zu samples, %.3f to %.3f mV\n", index_of(header), count, lowest, highest);
    else
        printf("%ld: %zu samples, not measured\n", index_of(header), count);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, ZMQ_SUB);
    if (zmq_connect(socket, argc > 1 ? argv[1] : "tcp://127.0.0.1:5292") != 0) {
        fprintf(stderr, "cannot connect: %s\n", zmq_strerror(zmq_errno()));
        return 1;
    }
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "ecg", 3);
    for (;;) {
        zmq_msg_t frames[FRAMES];
        int received = 0, more = 1;
        while (more) {
            zmq_msg_t frame;
            zmq_msg_init(&frame);
            if (zmq_msg_recv(&frame, socket, 0) < 0)
                return 1;
            more = zmq_msg_more(&frame);
            if (received < FRAMES)
                frames[received++] = frame;
            else
                zmq_msg_close(&frame);
        }
        /* ZeroMQ compares the beginning of the topic only. */
        if (received == FRAMES && zmq_msg_size(&frames[TOPIC]) == 3)
            print_level(&frames[HEADER], &frames[PAYLOAD]);
        while (received > 0)
            zmq_msg_close(&frames[--received]);
    }
}
