/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bench.h"

#define RAM       0x20000000u
#define IN        0x1000u /* offsets of the buffers in RAM */
#define OUT       0x3000u
#define LINE      42
#define DIN_DONE  (1u << 6)
#define DOUT_DONE (1u << 7)

enum {
    ECB = 0,
    CBC = 1,
    CTR = 2,
    CBC_MAC = 3,
    CMAC = 7,
};

enum {
    FLOW_BYPASS = 0,
    FLOW_AES = 1,
    FLOW_AES_TO_HASH = 2,
    FLOW_HASH = 7,
    FLOW_CHACHA = 16,
};

enum {
    SHA1 = 1,
    SHA256 = 2,
    SHA224 = 10,
};

/* NIST SP 800-38A and 800-38B use this key and this message. */
#define NIST_KEY "2b7e151628aed2a6abf7158809cf4f3c"
static const char *const nist_message = "6bc1bee22e409f96e93d7e117393172a"
                                        "ae2d8a571e03ac9c9eb76fac45af8e51"
                                        "30c81c46a35ce411e5fbc1191a0a52ef"
                                        "f69f2445df4f9b17ad2b417be66c3710";

static size_t bytes_of(const char *hex, uint8_t *bytes)
{
    size_t size = strlen(hex) / 2;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = 0;
        cr_assert_eq(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return size;
}

static void expect_bytes(const uint8_t *bytes, const char *hex)
{
    uint8_t wanted[256];
    size_t size = bytes_of(hex, wanted);
    cr_expect_arr_eq(bytes, wanted, size, "not %s", hex);
}

static struct bench *enabled(void)
{
    struct bench *bench = bench_new();
    poke(bench, "CRYPTOCELL.ENABLE", 1);
    return bench;
}

/* Writes bytes to an array of registers, the first byte in bits 7..0 of the first. */
static void poke_bytes(struct bench *bench, const char *array, const uint8_t *bytes, unsigned size)
{
    for (unsigned i = 0; i < size; i += 4) {
        char name[64];
        snprintf(name, sizeof name, "%s[%u]", array, i / 4);
        uint32_t word;
        memcpy(&word, bytes + i, 4);
        poke(bench, name, word);
    }
}

static void peek_bytes(struct bench *bench, const char *array, uint8_t *bytes, unsigned size)
{
    for (unsigned i = 0; i < size; i += 4) {
        char name[64];
        snprintf(name, sizeof name, "%s[%u]", array, i / 4);
        uint32_t word = peek(bench, name);
        memcpy(bytes + i, &word, 4);
    }
}

static void poke_hex(struct bench *bench, const char *array, const char *hex)
{
    uint8_t bytes[64];
    poke_bytes(bench, array, bytes, (unsigned)bytes_of(hex, bytes));
}

static void transfer(struct bench *bench, uint32_t flow, uint32_t size)
{
    poke(bench, "CC_CTL.CRYPTO_CTL", flow);
    poke(bench, "CC_DIN.SRC_MEM_ADDR", RAM + IN);
    poke(bench, "CC_DIN.SRC_MEM_SIZE", size);
    cr_expect_eq(peek(bench, "CC_CTL.CRYPTO_BUSY"), 1u);
    advance_us(bench, 1000);
    cr_expect_eq(peek(bench, "CC_CTL.CRYPTO_BUSY"), 0u);
}

static void set_aes(struct bench *bench, unsigned mode, bool decrypt, const char *key)
{
    poke(bench, "CC_HOST_RGF.ICR", 0xffffffffu);
    poke(bench, "CC_AES.AES_REMAINING_BYTES", 0);
    poke(bench, "CC_AES.AES_CONTROL", mode << 2 | decrypt);
    poke_hex(bench, "CC_AES.AES_KEY_0", key);
}

/* Runs `input` through the AES engine and compares what it puts to memory. */
static void expect_aes(struct bench *bench, const char *input, const char *output)
{
    uint32_t size = (uint32_t)bytes_of(input, bench->ram + IN);
    memset(bench->ram + OUT, 0, 256);
    poke(bench, "CC_DOUT.DST_MEM_ADDR", RAM + OUT);
    poke(bench, "CC_DOUT.DST_MEM_SIZE", size);
    transfer(bench, FLOW_AES, size);
    cr_expect(peek(bench, "CC_HOST_RGF.IRR") & DOUT_DONE);
    expect_bytes(bench->ram + OUT, output);
}

Test(cryptocell, a_disabled_subsystem_answers_to_nothing)
{
    struct bench *bench = bench_new();
    poke(bench, "CC_RNG.SAMPLE_CNT", 1000);
    poke(bench, "CRYPTOCELL.ENABLE", 1);
    cr_expect_eq(peek(bench, "CC_RNG.SAMPLE_CNT"), 0xffffu);
    poke(bench, "CC_RNG.SAMPLE_CNT", 1000);
    cr_expect_eq(peek(bench, "CC_RNG.SAMPLE_CNT"), 1000u);
    poke(bench, "CRYPTOCELL.ENABLE", 0);
    poke(bench, "CRYPTOCELL.ENABLE", 1);
    cr_expect_eq(peek(bench, "CC_RNG.SAMPLE_CNT"), 0xffffu);
    bench_free(bench);
}

/* What SaSi_LibInit of the published images looks at before it starts. */
Test(cryptocell, shows_the_version_that_the_library_asks_for)
{
    struct bench *bench = enabled();
    cr_expect_eq(peek(bench, "CC_CTL.VERSION") >> 24, 0xf0u);
    cr_expect_eq(peek(bench, "CC_HOST_RGF.HOST_SIGNATURE"), 0x20e00000u);
    bench_free(bench);
}

Test(cryptocell, the_device_key_outlives_disabling_and_is_written_once)
{
    struct bench *bench = enabled();
    uint8_t in[16];
    cr_expect_eq(peek(bench, "CC_HOST_RGF.HOST_IOT_KDR0"), 0u);
    bytes_of("000102030405060708090a0b0c0d0e0f", in);
    static const char *const words[] = {"CC_HOST_RGF.HOST_IOT_KDR0", "CC_HOST_RGF.HOST_IOT_KDR1",
                                        "CC_HOST_RGF.HOST_IOT_KDR2", "CC_HOST_RGF.HOST_IOT_KDR3"};
    for (unsigned i = 0; i < 4; i++) {
        uint32_t word;
        memcpy(&word, in + 4 * i, 4);
        poke(bench, words[i], word);
    }
    poke(bench, words[0], 0x12345678);
    poke(bench, "CRYPTOCELL.ENABLE", 0);
    poke(bench, "CRYPTOCELL.ENABLE", 1);
    cr_expect_eq(peek(bench, "CC_HOST_RGF.HOST_IOT_KDR0"), 1u);
    poke(bench, "CC_AES.AES_SK", 1);
    expect_aes(bench, "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a");
    bus_reset(&bench->bus, RESET_SOFT);
    poke(bench, "CRYPTOCELL.ENABLE", 1);
    cr_expect_eq(peek(bench, "CC_HOST_RGF.HOST_IOT_KDR0"), 0u);
    bench_free(bench);
}

Test(aes, fips_197_example)
{
    struct bench *bench = enabled();
    set_aes(bench, ECB, false, "000102030405060708090a0b0c0d0e0f");
    expect_aes(bench, "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a");
    set_aes(bench, ECB, true, "000102030405060708090a0b0c0d0e0f");
    expect_aes(bench, "69c4e0d86a7b0430d8cdb78070b4c55a", "00112233445566778899aabbccddeeff");
    cr_expect_eq(peek(bench, "CC_AES.AES_KEY_0[1]"), 0u, "a key can be read back");
    bench_free(bench);
}

Test(aes, cbc_of_sp_800_38a)
{
    static const char *const cipher = "7649abac8119b246cee98e9b12e9197d"
                                      "5086cb9b507219ee95db113a917678b2"
                                      "73bed6b8e3c1743b7116e69e22229516"
                                      "3ff1caa1681fac09120eca307586e1a7";
    struct bench *bench = enabled();
    set_aes(bench, CBC, false, NIST_KEY);
    poke_hex(bench, "CC_AES.AES_IV_0", "000102030405060708090a0b0c0d0e0f");
    expect_aes(bench, nist_message, cipher);
    uint8_t chain[16];
    peek_bytes(bench, "CC_AES.AES_IV_0", chain, 16);
    expect_bytes(chain, cipher + 96);
    set_aes(bench, CBC, true, NIST_KEY);
    poke_hex(bench, "CC_AES.AES_IV_0", "000102030405060708090a0b0c0d0e0f");
    expect_aes(bench, cipher, nist_message);
    bench_free(bench);
}

Test(aes, ctr_of_sp_800_38a_in_two_pieces)
{
    struct bench *bench = enabled();
    set_aes(bench, CTR, false, NIST_KEY);
    poke_hex(bench, "CC_AES.AES_CTR", "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
    expect_aes(bench, "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51",
               "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
    uint8_t counter[16];
    peek_bytes(bench, "CC_AES.AES_CTR", counter, 16);
    expect_bytes(counter, "f0f1f2f3f4f5f6f7f8f9fafbfcfdff01");
    expect_aes(bench, "30c81c46a35ce411e5fbc1191a0a52eff69f2445df",
               "5ae4df3edbd5d35e5b4f09020db03eab1e031dda2f");
    bench_free(bench);
}

/* SP 800-38B, appendix D.1. */
static void expect_cmac(struct bench *bench, unsigned size, const char *mac)
{
    uint8_t bytes[16] = {0};
    set_aes(bench, CMAC, false, NIST_KEY);
    poke_bytes(bench, "CC_AES.AES_IV_0", bytes, 16);
    poke(bench, "CC_AES.AES_CMAC_INIT", 1);
    poke(bench, "CC_AES.AES_REMAINING_BYTES", size);
    bytes_of(nist_message, bench->ram + IN);
    if (size)
        transfer(bench, FLOW_AES, size);
    else
        poke(bench, "CC_AES.AES_CMAC_SIZE0_KICK", 1);
    peek_bytes(bench, "CC_AES.AES_IV_0", bytes, 16);
    expect_bytes(bytes, mac);
}

Test(aes, cmac_of_sp_800_38b)
{
    struct bench *bench = enabled();
    expect_cmac(bench, 0, "bb1d6929e95937287fa37d129b756746");
    expect_cmac(bench, 16, "070a16b46b4d4144f79bdd9dd04a287c");
    expect_cmac(bench, 40, "dfa66747de9ae63030ca32611497c827");
    expect_cmac(bench, 64, "51f0bebf7e3b9d92fc49741779363cfe");
    bench_free(bench);
}

Test(aes, cmac_of_the_first_blocks_then_of_the_last)
{
    struct bench *bench = enabled();
    uint8_t bytes[16] = {0};
    set_aes(bench, CMAC, false, NIST_KEY);
    poke_bytes(bench, "CC_AES.AES_IV_0", bytes, 16);
    bytes_of(nist_message, bench->ram + IN);
    transfer(bench, FLOW_AES, 32);
    poke(bench, "CC_AES.AES_REMAINING_BYTES", 8);
    memmove(bench->ram + IN, bench->ram + IN + 32, 8);
    transfer(bench, FLOW_AES, 8);
    peek_bytes(bench, "CC_AES.AES_IV_0", bytes, 16);
    expect_bytes(bytes, "dfa66747de9ae63030ca32611497c827");
    bench_free(bench);
}

Test(aes, cbc_mac_is_the_last_block_of_cbc_and_puts_nothing_out)
{
    struct bench *bench = enabled();
    set_aes(bench, CBC_MAC, false, NIST_KEY);
    poke_hex(bench, "CC_AES.AES_IV_0", "000102030405060708090a0b0c0d0e0f");
    bytes_of(nist_message, bench->ram + IN);
    poke(bench, "CC_HOST_RGF.IMR", ~DIN_DONE);
    transfer(bench, FLOW_AES, 64);
    cr_expect(bench->irq[LINE]);
    cr_expect_eq(peek(bench, "CC_HOST_RGF.IRR"), DIN_DONE);
    poke(bench, "CC_HOST_RGF.ICR", DIN_DONE);
    cr_expect_not(bench->irq[LINE]);
    uint8_t mac[16];
    peek_bytes(bench, "CC_AES.AES_IV_0", mac, 16);
    expect_bytes(mac, "3ff1caa1681fac09120eca307586e1a7");
    bench_free(bench);
}

Test(aes, the_cpu_feeds_and_fetches_by_itself)
{
    struct bench *bench = enabled();
    uint8_t bytes[16];
    set_aes(bench, ECB, false, "000102030405060708090a0b0c0d0e0f");
    poke(bench, "CC_CTL.CRYPTO_CTL", FLOW_AES);
    poke(bench, "CC_DIN.DIN_CPU_DATA", 16);
    cr_expect_eq(peek(bench, "CC_DOUT.DOUT_FIFO_EMPTY"), 1u);
    bytes_of("00112233445566778899aabbccddeeff", bytes);
    poke_bytes(bench, "CC_DIN.DIN_BUFFER", bytes, 16);
    cr_expect_eq(peek(bench, "CC_DOUT.DOUT_FIFO_EMPTY"), 0u);
    for (unsigned i = 0; i < 16; i += 4) {
        uint32_t word = peek(bench, "CC_DOUT.DOUT_BUFFER");
        memcpy(bytes + i, &word, 4);
    }
    expect_bytes(bytes, "69c4e0d86a7b0430d8cdb78070b4c55a");
    cr_expect_eq(peek(bench, "CC_DOUT.DOUT_FIFO_EMPTY"), 1u);
    bench_free(bench);
}

/* RFC 8439, section 2.4.2. */
Test(chacha, encryption_of_rfc_8439)
{
    static const char text[] =
        "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the "
        "future, sunscreen would be it.";
    struct bench *bench = enabled();
    poke_hex(bench, "CC_CHACHA.CHACHA_KEY",
             "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    poke(bench, "CC_CHACHA.CHACHA_BLOCK_CNT_LSB", 1);
    poke(bench, "CC_CHACHA.CHACHA_BLOCK_CNT_MSB", 0);
    poke_hex(bench, "CC_CHACHA.CHACHA_IV", "0000004a00000000");
    poke(bench, "CC_CHACHA.CHACHA_CONTROL", 1u << 10 | 2);
    memcpy(bench->ram + IN, text, strlen(text));
    poke(bench, "CC_DOUT.DST_MEM_ADDR", RAM + OUT);
    poke(bench, "CC_DOUT.DST_MEM_SIZE", (uint32_t)strlen(text));
    transfer(bench, FLOW_CHACHA, (uint32_t)strlen(text));
    expect_bytes(bench->ram + OUT,
                 "6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0bf91b65c5524733ab"
                 "8f593dabcd62b3571639d624e65152ab8f530c359f0861d807ca0dbf500d6a6156a38e088a22b65e"
                 "52bc514d16ccf806818ce91ab77937365af90bbf74a35be6b40b8eedf2785e42874d");
    cr_expect_eq(peek(bench, "CC_CHACHA.CHACHA_BLOCK_CNT_LSB"), 3u);
    bench_free(bench);
}

Test(dma, bypass_copies_also_through_the_rng_sram)
{
    struct bench *bench = enabled();
    bytes_of("0102030405060708090a", bench->ram + IN);
    poke(bench, "CC_DOUT.DST_SRAM_ADDR", 8);
    poke(bench, "CC_DOUT.DST_SRAM_SIZE", 10);
    transfer(bench, FLOW_BYPASS, 10);
    cr_expect_eq(peek(bench, "CC_HOST_RGF.IRR"), 1u << 5 | DIN_DONE);
    poke(bench, "CC_RNG_SRAM.SRAM_ADDR", 12);
    cr_expect_eq(peek(bench, "CC_RNG_SRAM.SRAM_DATA"), 0x08070605u);
    poke(bench, "CC_HOST_RGF.ICR", 0xffffffffu);
    poke(bench, "CC_DOUT.DST_MEM_ADDR", RAM + OUT);
    poke(bench, "CC_DOUT.DST_MEM_SIZE", 10);
    poke(bench, "CC_DIN.SRC_SRAM_ADDR", 8);
    poke(bench, "CC_DIN.SRC_SRAM_SIZE", 10);
    advance_us(bench, 10);
    expect_bytes(bench->ram + OUT, "0102030405060708090a");
    cr_expect_eq(peek(bench, "CC_HOST_RGF.IRR"), 1u << 4 | DOUT_DONE);
    bench_free(bench);
}

Test(dma, flash_is_out_of_reach)
{
    struct bench *bench = enabled();
    poke(bench, "CC_CTL.CRYPTO_CTL", FLOW_BYPASS);
    poke(bench, "CC_DIN.SRC_MEM_ADDR", 0x1000);
    poke(bench, "CC_DIN.SRC_MEM_SIZE", 16);
    advance_us(bench, 10);
    cr_expect_eq(peek(bench, "CC_HOST_RGF.IRR"), 1u << 8);
    cr_expect_eq(bench->findings, 1);
    bench_free(bench);
}

static void set_hash(struct bench *bench, unsigned mode)
{
    static const uint32_t sha1[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    static const uint32_t sha256[] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static const uint32_t sha224[] = {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939,
                                      0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4};
    const uint32_t *first = mode == SHA1 ? sha1 : mode == SHA256 ? sha256 : sha224;
    poke(bench, "CC_HASH.HASH_CONTROL", mode);
    poke(bench, "CC_HASH.HASH_PAD", 1);
    poke(bench, "CC_HASH.HASH_CUR_LEN_0", 0);
    poke(bench, "CC_HASH.HASH_CUR_LEN_1", 0);
    poke_bytes(bench, "CC_HASH.HASH_H", (const uint8_t *)first, mode == SHA1 ? 20 : 32);
}

/* Hashes what is already in the input buffer; the last piece is padded. */
static void hash_piece(struct bench *bench, uint32_t size, bool last)
{
    poke(bench, "CC_HASH.HASH_PAD_AUTO", last);
    transfer(bench, FLOW_HASH, size);
}

/* The digest as it is printed: each word with its high byte first. */
static void digest(struct bench *bench, uint8_t *bytes)
{
    peek_bytes(bench, "CC_HASH.HASH_H", bytes, 32);
    for (unsigned i = 0; i < 32; i += 4) {
        uint8_t word[4] = {bytes[i + 3], bytes[i + 2], bytes[i + 1], bytes[i]};
        memcpy(bytes + i, word, 4);
    }
}

static void expect_hash(struct bench *bench, unsigned mode, const char *text, const char *hex)
{
    uint8_t bytes[32];
    uint32_t size = (uint32_t)strlen(text);
    set_hash(bench, mode);
    memcpy(bench->ram + IN, text, size);
    if (size)
        hash_piece(bench, size, true);
    else
        poke(bench, "CC_HASH.HASH_PAD_FORCE", 4);
    digest(bench, bytes);
    expect_bytes(bytes, hex);
    cr_expect_eq(peek(bench, "CC_HASH.HASH_CUR_LEN_0"), size);
}

/* FIPS 180-4's examples, as NIST publishes them. */
Test(hash, nist_examples)
{
    static const char *const two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    struct bench *bench = enabled();
    expect_hash(bench, SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d");
    expect_hash(bench, SHA1, two_blocks, "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    expect_hash(bench, SHA224, "abc", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
    expect_hash(bench, SHA224, two_blocks, "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525");
    expect_hash(bench, SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect_hash(bench, SHA256, two_blocks,
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    expect_hash(bench, SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    bench_free(bench);
}

/* RFC 4231, test case 2: the pads are hashed as pieces, as HMAC software on this engine does. */
Test(hash, hmac_in_pieces)
{
    static const char key[] = "Jefe";
    static const char text[] = "what do ya want for nothing?";
    struct bench *bench = enabled();
    uint8_t bytes[32];
    set_hash(bench, SHA256);
    for (unsigned i = 0; i < 64; i++)
        bench->ram[IN + i] = 0x36 ^ (i < 4 ? key[i] : 0);
    hash_piece(bench, 64, false);
    memcpy(bench->ram + IN, text, strlen(text));
    hash_piece(bench, (uint32_t)strlen(text), true);
    digest(bench, bytes);
    set_hash(bench, SHA256);
    for (unsigned i = 0; i < 64; i++)
        bench->ram[IN + i] = 0x5c ^ (i < 4 ? key[i] : 0);
    hash_piece(bench, 64, false);
    memcpy(bench->ram + IN, bytes, 32);
    hash_piece(bench, 32, true);
    digest(bench, bytes);
    expect_bytes(bytes, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    bench_free(bench);
}

Test(hash, aes_output_can_be_hashed_on_its_way)
{
    struct bench *bench = enabled();
    uint8_t bytes[32];
    set_aes(bench, ECB, true, "000102030405060708090a0b0c0d0e0f");
    set_hash(bench, SHA256);
    bytes_of("69c4e0d86a7b0430d8cdb78070b4c55a", bench->ram + IN);
    poke(bench, "CC_HASH.HASH_PAD_AUTO", 1);
    transfer(bench, FLOW_AES_TO_HASH, 16);
    digest(bench, bytes);
    /* printf 00112233445566778899aabbccddeeff | xxd -r -p | sha256sum */
    expect_bytes(bytes, "a8faed6abbf35c12a4b26e40f6feb19d736d90045c83b9f9a31f638d323e6811");
    bench_free(bench);
}

/* Starts a collection as the published driver does: one sample every 1000 cycles, corrector on. */
static void start_trng(struct bench *bench)
{
    poke(bench, "CC_RNG.RNG_CLK", 1);
    poke(bench, "CC_RNG.RNG_SW_RESET", 1);
    poke(bench, "CC_RNG.SAMPLE_CNT", 1000);
    poke(bench, "CC_RNG.RNG_ICR", 0xffffffffu);
    poke(bench, "CC_RNG.RNG_IMR", 0xffffffecu);
    poke(bench, "CC_RNG.RNG_WATCHDOG_VAL", 3072000);
    poke(bench, "CC_RNG.NOISE_SOURCE", 1);
}

Test(rng, collects_192_bits_in_the_time_its_samples_take)
{
    struct bench *bench = enabled();
    poke(bench, "CC_HOST_RGF.IMR", ~(1u << 10));
    start_trng(bench);
    cr_expect_eq(peek(bench, "CC_RNG.RNG_BUSY"), 3u);
    advance(bench, 192 * 4 * 1000 - 1);
    cr_expect_eq(peek(bench, "CC_RNG.TRNG_VALID"), 0u);
    cr_expect_not(bench->irq[LINE]);
    advance(bench, 1);
    cr_expect_eq(peek(bench, "CC_RNG.TRNG_VALID"), 1u);
    cr_expect_eq(peek(bench, "CC_RNG.RNG_ISR"), 1u);
    cr_expect_eq(peek(bench, "CC_HOST_RGF.IRR"), 1u << 10);
    cr_expect(bench->irq[LINE]);
    poke(bench, "CC_HOST_RGF.ICR", 1u << 10);
    cr_expect_not(bench->irq[LINE]);
    bench_free(bench);
}

Test(rng, reading_the_last_word_starts_the_next_collection)
{
    struct bench *bench = enabled();
    uint8_t first[24];
    uint8_t second[24];
    start_trng(bench);
    advance(bench, 192 * 4 * 1000);
    peek_bytes(bench, "CC_RNG.EHR_DATA", first, 24);
    cr_expect_eq(peek(bench, "CC_RNG.TRNG_VALID"), 0u);
    cr_expect_eq(peek(bench, "CC_RNG.EHR_DATA[0]"), 0u);
    poke(bench, "CC_RNG.RNG_ICR", 1);
    advance(bench, 192 * 4 * 1000);
    cr_expect_eq(peek(bench, "CC_RNG.RNG_ISR"), 1u);
    peek_bytes(bench, "CC_RNG.EHR_DATA", second, 24);
    cr_expect_arr_neq(first, second, 24);
    bench_free(bench);
}

Test(rng, the_bits_follow_the_seed)
{
    uint8_t bits[3][24];
    for (unsigned i = 0; i < 3; i++) {
        struct bench *bench = enabled();
        bench->soc.cryptocell.rng.noise ^= i == 2;
        start_trng(bench);
        advance(bench, 192 * 4 * 1000);
        peek_bytes(bench, "CC_RNG.EHR_DATA", bits[i], 24);
        bench_free(bench);
    }
    cr_expect_arr_eq(bits[0], bits[1], 24);
    cr_expect_arr_neq(bits[0], bits[2], 24);
}

Test(rng, a_watchdog_shorter_than_the_collection_ends_it)
{
    struct bench *bench = enabled();
    start_trng(bench);
    poke(bench, "CC_RNG.NOISE_SOURCE", 0);
    poke(bench, "CC_RNG.RNG_WATCHDOG_VAL", 5000);
    poke(bench, "CC_RNG.NOISE_SOURCE", 1);
    advance(bench, 5000);
    cr_expect_eq(peek(bench, "CC_RNG.RNG_ISR"), 1u << 4);
    cr_expect_eq(peek(bench, "CC_RNG.TRNG_VALID"), 0u);
    advance(bench, 192 * 4 * 1000);
    cr_expect_eq(peek(bench, "CC_RNG.TRNG_VALID"), 0u);
    bench_free(bench);
}

Test(cryptocell, a_snapshot_taken_mid_transfer_ends_alike)
{
    struct bench *bench = enabled();
    set_aes(bench, ECB, false, "000102030405060708090a0b0c0d0e0f");
    bytes_of("00112233445566778899aabbccddeeff", bench->ram + IN);
    poke(bench, "CC_DOUT.DST_MEM_ADDR", RAM + OUT);
    poke(bench, "CC_DOUT.DST_MEM_SIZE", 16);
    poke(bench, "CC_CTL.CRYPTO_CTL", FLOW_AES);
    poke(bench, "CC_DIN.SRC_MEM_ADDR", RAM + IN);
    poke(bench, "CC_DIN.SRC_MEM_SIZE", 16);
    struct moment before = bench_save(bench);
    poke(bench, "CRYPTOCELL.ENABLE", 0);
    bench_restore(bench, &before);
    cr_expect_eq(peek(bench, "CC_CTL.CRYPTO_BUSY"), 1u);
    advance_us(bench, 10);
    expect_bytes(bench->ram + OUT, "69c4e0d86a7b0430d8cdb78070b4c55a");
    bench_free(bench);
}
