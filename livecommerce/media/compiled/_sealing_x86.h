/* AES-128-GCM by the processor's own instructions (AES-NI, PCLMULQDQ), for packets: 12-byte nonces, sealing only.
 *
 * OpenSSL's general interface spends more time around a packet of 1,200 bytes than in it. Here a key is ready (round
 * keys, eight powers of H), a packet costs no call and no allocation. Nothing depends on secrets but data: no table, no
 * branch. What it makes is compared with another implementation at start-up (compiled.py).
 *
 * GHASH works on byte-reversed blocks with H multiplied by x once, so that products need no shift; the reduction folds
 * the low half twice by x^63 + x^62 + x^57 (NIST SP 800-38D; Gueron and Kounavis, "Carry-less multiplication"). */
#ifndef SEALING_X86_H
#define SEALING_X86_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define WITH_AES __attribute__((target("aes,pclmul,ssse3,sse4.1")))
#define ALWAYS static inline __attribute__((always_inline)) WITH_AES
#define ROUNDS 10
#define BLOCK_BYTES 16
/* Blocks encrypted and hashed at a time: enough to keep both units busy. */
#define WIDE 8
#define UNROLL _Pragma("GCC unroll 8")

/* As bytes, since objects of Python need not be aligned for vectors. */
typedef struct {
    unsigned char rounds[ROUNDS + 1][BLOCK_BYTES];
    unsigned char powers[WIDE][BLOCK_BYTES]; /* H, H^2, … H^8 */
    unsigned char folded[WIDE][BLOCK_BYTES]; /* both halves of each added up (Karatsuba) */
} X86Key;

static int x86_is_able(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

ALWAYS __m128i load(const unsigned char *place) { return _mm_loadu_si128((const __m128i *)(const void *)place); }

ALWAYS void store(unsigned char *place, __m128i value) { _mm_storeu_si128((__m128i *)(void *)place, value); }

ALWAYS __m128i reversed(__m128i block) {
    return _mm_shuffle_epi8(block, _mm_set_epi8(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
}

ALWAYS __m128i swapped_halves(__m128i value) { return _mm_shuffle_epi32(value, 0x4E); }

/* Sums of products, not yet reduced. */
typedef struct {
    __m128i low, middle, high;
} Products;

ALWAYS void add_product(Products *sum, __m128i block, const X86Key *key, int power) {
    __m128i h = load(key->powers[power]), both = _mm_xor_si128(block, swapped_halves(block));
    sum->low = _mm_xor_si128(sum->low, _mm_clmulepi64_si128(block, h, 0x00));
    sum->high = _mm_xor_si128(sum->high, _mm_clmulepi64_si128(block, h, 0x11));
    sum->middle = _mm_xor_si128(sum->middle, _mm_clmulepi64_si128(both, load(key->folded[power]), 0x00));
}

ALWAYS __m128i reduce(const Products *sum) {
    const __m128i polynomial = _mm_set_epi64x((long long)0xC200000000000000ULL, 1);
    __m128i low = sum->low, high = sum->high;
    __m128i middle = _mm_xor_si128(sum->middle, _mm_xor_si128(low, high));
    middle = _mm_xor_si128(middle, _mm_xor_si128(swapped_halves(low), _mm_clmulepi64_si128(polynomial, low, 0x01)));
    return _mm_xor_si128(high, _mm_xor_si128(swapped_halves(middle), _mm_clmulepi64_si128(polynomial, middle, 0x01)));
}

ALWAYS __m128i hashed(__m128i state, __m128i block, const X86Key *key) {
    Products sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    add_product(&sum, _mm_xor_si128(state, reversed(block)), key, 0);
    return reduce(&sum);
}

ALWAYS void encrypt_blocks(__m128i *blocks, const X86Key *key) {
    __m128i round = load(key->rounds[0]);
    UNROLL
    for (int i = 0; i < WIDE; i++) blocks[i] = _mm_xor_si128(blocks[i], round);
    for (int at = 1; at < ROUNDS; at++) {
        round = load(key->rounds[at]);
        UNROLL
        for (int i = 0; i < WIDE; i++) blocks[i] = _mm_aesenc_si128(blocks[i], round);
    }
    round = load(key->rounds[ROUNDS]);
    UNROLL
    for (int i = 0; i < WIDE; i++) blocks[i] = _mm_aesenclast_si128(blocks[i], round);
}

ALWAYS __m128i counter_block(__m128i nonce, uint32_t counter) {
    return _mm_insert_epi32(nonce, (int)__builtin_bswap32(counter), 3);
}

/* One step of the key schedule (FIPS 197 section 5.2); `mixed` is AESKEYGENASSIST of the round key before. */
ALWAYS __m128i next_round_key(__m128i key, __m128i mixed) {
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    key = _mm_xor_si128(key, _mm_slli_si128(key, 4));
    return _mm_xor_si128(key, _mm_shuffle_epi32(mixed, 0xFF));
}

WITH_AES static void x86_set_key(X86Key *key, const unsigned char *secret) {
    __m128i round = load(secret);
    store(key->rounds[0], round);
#define EXPAND(at, constant)                                                    \
    round = next_round_key(round, _mm_aeskeygenassist_si128(round, constant));  \
    store(key->rounds[at], round)
    EXPAND(1, 0x01);
    EXPAND(2, 0x02);
    EXPAND(3, 0x04);
    EXPAND(4, 0x08);
    EXPAND(5, 0x10);
    EXPAND(6, 0x20);
    EXPAND(7, 0x40);
    EXPAND(8, 0x80);
    EXPAND(9, 0x1B);
    EXPAND(10, 0x36);
#undef EXPAND
    __m128i blocks[WIDE] = {_mm_setzero_si128()};
    UNROLL
    for (int i = 1; i < WIDE; i++) blocks[i] = _mm_setzero_si128();
    encrypt_blocks(blocks, key);
    __m128i h = reversed(blocks[0]);
    uint64_t low = (uint64_t)_mm_cvtsi128_si64(h), high = (uint64_t)_mm_extract_epi64(h, 1);
    uint64_t carry = 0 - (high >> 63); /* all ones where x^127 overflows */
    h = _mm_set_epi64x((long long)((high << 1 | low >> 63) ^ (carry & 0xC200000000000000ULL)),
                       (long long)(low << 1 ^ (carry & 1)));
    __m128i power = h;
    UNROLL
    for (int i = 0; i < WIDE; i++) {
        store(key->powers[i], power);
        store(key->folded[i], _mm_xor_si128(power, swapped_halves(power)));
        Products sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
        add_product(&sum, h, key, i);
        power = reduce(&sum);
    }
}

/* What is left: at most 7 blocks, the lengths and the tag. */
ALWAYS void finish(const X86Key *key, __m128i nonce, uint32_t counter, __m128i state, size_t header_bytes, size_t all_bytes,
                   const unsigned char *plain, size_t bytes, unsigned char *out) {
    __m128i blocks[WIDE];
    blocks[0] = counter_block(nonce, 1);
    UNROLL
    for (int i = 1; i < WIDE; i++) blocks[i] = counter_block(nonce, counter + (uint32_t)i - 1);
    encrypt_blocks(blocks, key);
    Products sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
    int count = (int)((bytes + BLOCK_BYTES - 1) / BLOCK_BYTES);
    for (int i = 0; i < count; i++) {
        size_t here = bytes - (size_t)i * BLOCK_BYTES;
        unsigned char sealed[BLOCK_BYTES] = {0};
        if (here > BLOCK_BYTES) here = BLOCK_BYTES;
        memcpy(sealed, plain + i * BLOCK_BYTES, here);
        store(sealed, _mm_xor_si128(load(sealed), blocks[i + 1]));
        memcpy(out + i * BLOCK_BYTES, sealed, here);
        memset(sealed + here, 0, BLOCK_BYTES - here);
        __m128i block = reversed(load(sealed));
        if (i == 0) block = _mm_xor_si128(block, state);
        add_product(&sum, block, key, count - i);
    }
    __m128i lengths = _mm_set_epi64x((long long)(header_bytes * 8), (long long)(all_bytes * 8));
    if (count == 0) lengths = _mm_xor_si128(lengths, state);
    add_product(&sum, lengths, key, 0);
    store(out + bytes, _mm_xor_si128(reversed(reduce(&sum)), blocks[0]));
}

/* Encrypts `bytes` of `plain` to `out`, with the tag of 16 bytes behind them. */
WITH_AES static void x86_seal(const X86Key *key, const unsigned char *nonce_bytes, const unsigned char *header,
                              size_t header_bytes, const unsigned char *plain, size_t bytes, unsigned char *out) {
    unsigned char padded[BLOCK_BYTES] = {0};
    memcpy(padded, nonce_bytes, 12);
    __m128i nonce = load(padded), state = _mm_setzero_si128();
    for (size_t at = 0; at < header_bytes; at += BLOCK_BYTES) {
        size_t here = header_bytes - at < BLOCK_BYTES ? header_bytes - at : BLOCK_BYTES;
        memset(padded, 0, sizeof padded);
        memcpy(padded, header + at, here);
        state = hashed(state, load(padded), key);
    }
    size_t all_bytes = bytes;
    uint32_t counter = 2;
    for (; bytes >= WIDE * BLOCK_BYTES; counter += WIDE) {
        __m128i blocks[WIDE];
        UNROLL
        for (int i = 0; i < WIDE; i++) blocks[i] = counter_block(nonce, counter + (uint32_t)i);
        encrypt_blocks(blocks, key);
        Products sum = {_mm_setzero_si128(), _mm_setzero_si128(), _mm_setzero_si128()};
        UNROLL
        for (int i = 0; i < WIDE; i++) {
            __m128i sealed = _mm_xor_si128(load(plain + i * BLOCK_BYTES), blocks[i]);
            store(out + i * BLOCK_BYTES, sealed);
            sealed = reversed(sealed);
            if (i == 0) sealed = _mm_xor_si128(sealed, state);
            add_product(&sum, sealed, key, WIDE - 1 - i);
        }
        state = reduce(&sum);
        plain += WIDE * BLOCK_BYTES;
        out += WIDE * BLOCK_BYTES;
        bytes -= WIDE * BLOCK_BYTES;
    }
    if (bytes > (WIDE - 1) * BLOCK_BYTES) { /* one more than `finish` has room for */
        __m128i blocks[WIDE];
        UNROLL
        for (int i = 0; i < WIDE; i++) blocks[i] = counter_block(nonce, counter);
        encrypt_blocks(blocks, key);
        __m128i sealed = _mm_xor_si128(load(plain), blocks[0]);
        store(out, sealed);
        state = hashed(state, sealed, key);
        counter++;
        plain += BLOCK_BYTES;
        out += BLOCK_BYTES;
        bytes -= BLOCK_BYTES;
    }
    finish(key, nonce, counter, state, header_bytes, all_bytes, plain, bytes, out);
}

#endif
