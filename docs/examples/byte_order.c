/*
 * What a network carries is bytes. Numbers, texts and structs become bytes by rules that both ends
 * must share; each is printed here, and checked. docs/sockets.md, "Bytes".
 *
 *     cc -std=c11 -o byte_order byte_order.c
 *     ./byte_order
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int faults;

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "does not hold here: %s; this machine is stranger than the text says\n", what);
    faults++;
}

static void print_bytes(const char *what, const void *bytes, size_t len)
{
    printf("%-34s", what);
    for (size_t i = 0; i < len; i++)
        printf(" %02x", ((const uint8_t *)bytes)[i]);
    printf("\n");
}

/* The port 5004 is 13 8c in hexadecimal. Networks write the 13 first; most machines store it last.
 */
static void numbers(void)
{
    const uint16_t port = 5004, on_the_wire = htons(port);
    print_bytes("5004 in this machine's memory", &port, sizeof port);
    print_bytes("htons(5004), as the network has it", &on_the_wire, sizeof on_the_wire);
    check(memcmp(&on_the_wire, "\x13\x8c", 2) == 0, "htons writes the high byte first");
    check(ntohs(on_the_wire) == port, "ntohs undoes htons");

    uint16_t forgotten;
    memcpy(&forgotten, "\x13\x8c", sizeof forgotten); /* as received, without ntohs */
    printf("%-34s %u\n", "port 5004 read without ntohs", forgotten);
    check(forgotten == 5004 || forgotten == 35859, "it is another port, 35859");
}

/* By shifts it is right on every machine, at any address, without asking which order it has. */
static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

/* Memory has gaps in a struct, chosen by the compiler, with whatever lay there before. Sent as it
 * is, another program reads something else, and gets to see what was in the gaps. */
struct greeting {
    uint8_t version;
    uint32_t time;
    uint16_t port;
};

enum { GREETING_BYTES = 1 + 4 + 2 };

static void structs(void)
{
    const struct greeting hello = {.version = 2, .time = 0x01020304, .port = 5004};
    uint8_t wire[GREETING_BYTES] = {hello.version};
    put_u32(wire + 1, hello.time);
    wire[5] = (uint8_t)(hello.port >> 8);
    wire[6] = (uint8_t)hello.port;
    printf("%-34s %zu bytes, time at %zu\n", "struct greeting in memory", sizeof hello,
           offsetof(struct greeting, time));
    print_bytes("field by field, 7 bytes", wire, sizeof wire);
    check(sizeof hello > GREETING_BYTES, "the struct has gaps");
    check(get_u32(wire + 1) == hello.time, "what was put is got");
}

/* A text is characters; what travels is their bytes in some encoding: UTF-8, unless agreed. */
static void texts(void)
{
    const char *text = "gr\xc3\xbc\xc3\x9f dich"; /* u with dots, sharp s: two bytes each */
    size_t characters = 0;
    for (const char *c = text; *c; c++)
        characters += ((uint8_t)*c & 0xc0) != 0x80; /* bytes 10xxxxxx go on with a character */
    print_bytes(text, text, strlen(text)); /* two columns short: printf counts bytes as well */
    printf("%-34s %zu characters, %zu bytes\n", "", characters, strlen(text));
    check(characters == 9 && strlen(text) == 11, "characters are not bytes");

    /* "5004" and 5004 are different bytes. A length in bytes says where a text ends, not a 0. */
    print_bytes("\"5004\" as a text", "5004", 4);
    /* A stream may cut anywhere: here, within a character. Put together first, decode then. */
    print_bytes("the first 3 bytes: half a letter", text, 3);
    check(((uint8_t)text[3] & 0xc0) == 0x80, "byte 4 goes on with the character of byte 3");
}

int main(void)
{
    numbers();
    structs();
    texts();
    return faults ? 1 : 0;
}
