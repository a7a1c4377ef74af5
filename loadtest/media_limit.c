/* The least a sender can do with OpenSSL's general interface: AES-128-GCM by EVP under one key a viewer and one
 * UDP_SEGMENT sendmsg a frame, with a sound as its last segment; the other two of five sounds go in a pair.
 * Prints CPU microseconds a packet. Arguments: seconds viewers packets_per_frame picture_bytes sound_bytes */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#define SINKS 8
#define UDP_SEGMENT 103

static double cpu_seconds(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}
static double wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}
static void seal(EVP_CIPHER_CTX *context, unsigned char *out, const unsigned char *plain, int length, unsigned number) {
    unsigned char nonce[12] = {0}, header[12] = {0x80, 102};
    int written;
    memcpy(nonce + 8, &number, 4);
    memcpy(header + 2, &number, 2);
    memcpy(out, header, 12);
    EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce);
    EVP_EncryptUpdate(context, NULL, &written, header, 12);
    EVP_EncryptUpdate(context, out + 12, &written, plain, length);
    EVP_EncryptFinal_ex(context, out + 12 + length, &written);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, 16, out + 12 + length);
}
int main(int count, char **words) {
    if (count < 6) return 2;
    double seconds = atof(words[1]);
    int viewers = atoi(words[2]), per_frame = atoi(words[3]), picture = atoi(words[4]), sound = atoi(words[5]);
    unsigned char plain[2048] = {1}, out[65536], key[16], control[CMSG_SPACE(2)];
    struct sockaddr_in sinks[SINKS];
    for (int i = 0; i < SINKS; i++) {
        int udp = socket(AF_INET, SOCK_DGRAM, 0), small = 4096;
        socklen_t size = sizeof sinks[i];
        sinks[i] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        bind(udp, (struct sockaddr *)&sinks[i], size);
        getsockname(udp, (struct sockaddr *)&sinks[i], &size);
        setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    }
    EVP_CIPHER_CTX **contexts = malloc(sizeof(void *) * viewers);
    for (int i = 0; i < viewers; i++) {
        for (int b = 0; b < 16; b++) key[b] = (unsigned char)(rand());
        contexts[i] = EVP_CIPHER_CTX_new();
        EVP_EncryptInit_ex(contexts[i], EVP_aes_128_gcm(), NULL, key, NULL);
    }
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    unsigned number = 0;
    double packets = 0, began = cpu_seconds(), end = wall_seconds() + seconds;
    while (wall_seconds() < end) {
        for (int step = 0; step < 4; step++) {
            int is_pair = step == 3, per = is_pair ? 2 : per_frame + 1, first = is_pair ? sound : picture;
            int segment = 12 + first + 16;
            for (int viewer = 0; viewer < viewers; viewer++) {
                for (int i = 0; i < per; i++)
                    seal(contexts[viewer], out + i * segment, plain, i == per - 1 ? sound : first, number + i);
                struct iovec part = {out, (size_t)(per - 1) * segment + 12 + sound + 16};
                struct msghdr message = {.msg_name = &sinks[viewer % SINKS], .msg_namelen = sizeof sinks[0], .msg_iov = &part, .msg_iovlen = 1};
                memset(control, 0, sizeof control);
                message.msg_control = control;
                message.msg_controllen = sizeof control;
                struct cmsghdr *head = CMSG_FIRSTHDR(&message);
                head->cmsg_level = IPPROTO_UDP;
                head->cmsg_type = UDP_SEGMENT;
                head->cmsg_len = CMSG_LEN(2);
                *(unsigned short *)CMSG_DATA(head) = (unsigned short)segment;
                if (sendmsg(udp, &message, 0) < 0) { perror("sendmsg"); return 1; }
                packets += per;
            }
            number += per;
        }
    }
    printf("%.4f\n", (cpu_seconds() - began) * 1e6 / packets);
    return 0;
}
