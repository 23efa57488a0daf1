/* layers: codec */
/* test_hash.c - the hash that fingerprints are made of: fixed for ever, and well mixed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gr/codec/hash.h"

enum { LENGTH_MAX = 100 };

static void
fill(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (char)(i * 37 + 11);
}

/* These stand in tables: if they change, every row of every user looks changed. */
static void
never_changes(void **state)
{
    static const struct {
        uint64_t seed;
        size_t len;
        uint64_t hash;
    } cases[] = {
        {0, 0, UINT64_C(0x8F1DFCEB59D637B6)},   {0, 1, UINT64_C(0x7EDDE447CCED3382)},
        {1, 1, UINT64_C(0x173E724A307C4249)},   {0, 8, UINT64_C(0x85F7DF10D8A3DFA8)},
        {0, 31, UINT64_C(0x73809F2407018B52)},  {0, 32, UINT64_C(0xA3F515D5176C8CB2)},
        {7, 100, UINT64_C(0xE107C8188B0C65FB)},
    };
    char bytes[LENGTH_MAX];

    (void)state;
    fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(gr_hash(cases[i].seed, bytes, cases[i].len), cases[i].hash);
}

/* One bit in, half of the bits out: on average, and for each bit of the hash. */
static void
spreads_each_bit(void **state)
{
    static const size_t lengths[] = {1, 7, 8, 9, 31, 32, 33, 64, LENGTH_MAX};
    unsigned long flips[64] = {0};
    unsigned long trials = 0;
    char bytes[LENGTH_MAX];

    (void)state;
    for (size_t l = 0; l < sizeof(lengths) / sizeof(lengths[0]); l++) {
        for (size_t bit = 0; bit < lengths[l] * 8; bit++) {
            uint64_t before, difference;

            fill(bytes, lengths[l]);
            before = gr_hash(0, bytes, lengths[l]);
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            difference = before ^ gr_hash(0, bytes, lengths[l]);
            assert_in_range((uintmax_t)__builtin_popcountll(difference), 12, 52);
            for (unsigned out = 0; out < 64; out++)
                flips[out] += difference >> out & 1;
            trials++;
        }
    }
    for (unsigned out = 0; out < 64; out++)
        assert_in_range(flips[out] * 100 / trials, 44, 56);
}

static void
tells_all_short_texts_apart(void **state)
{
    static uint64_t hashes[3 * 1024];
    static const char zeros[1024];
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < 1024; i++) {
        char digits[4] = {(char)((i + 1) & 0xFF), (char)((i + 1) >> 8), 0, 0};

        hashes[count++] = gr_hash(0, zeros, i);    /* by length alone */
        hashes[count++] = gr_hash(i + 1, "id", 2); /* by seed alone   */
        hashes[count++] = gr_hash(0, digits, 4);   /* by content      */
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            if (hashes[i] == hashes[j])
                fail_msg("%zu and %zu have the same hash", i, j);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_changes),
        cmocka_unit_test(spreads_each_bit),
        cmocka_unit_test(tells_all_short_texts_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
