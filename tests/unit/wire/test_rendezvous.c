/* SPDX-License-Identifier: MPL-2.0 */
/* rendezvous: the published vectors are replayed, and what the rule promises is counted over many names. */
#include "lib/test.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/bytes.h"
#include "wire/rendezvous.h"

enum { BROKERS_MAX = 8, LINE_SIZE = 2048 };

/* Splits `list` at its commas, in place. */
static size_t split(char *list, span_t brokers[BROKERS_MAX])
{
    size_t count = 0;
    char *rest = NULL;
    for (char *name = strtok_r(list, ",", &rest); name; name = strtok_r(NULL, ",", &rest)) {
        assert_true(count < BROKERS_MAX);
        brokers[count++] = span_str(name);
    }
    return count;
}

static rendezvous_t *make(char *list, span_t brokers[BROKERS_MAX])
{
    rendezvous_t *self = rendezvous_new(brokers, split(list, brokers));
    assert_non_null(self);
    return self;
}

static void hash_key(const char *broker, unsigned char key[crypto_shorthash_KEYBYTES])
{
    const unsigned char *name = (const unsigned char *)broker;
    crypto_shorthash(key, name, strlen(broker), (const unsigned char *)"ferrymq-broker-0");
    crypto_shorthash(key + crypto_shorthash_BYTES, name, strlen(broker), (const unsigned char *)"ferrymq-broker-1");
}

static void assert_hex(const unsigned char *bytes, size_t size, const char *expected)
{
    char text[128];
    assert_non_null(sodium_bin2hex(text, sizeof text, bytes, size));
    assert_string_equal(text, expected);
}

static void check_key(char *fields[3])
{
    unsigned char key[crypto_shorthash_KEYBYTES];
    hash_key(fields[0], key);
    assert_hex(key, sizeof key, fields[1]);
}

static void check_weight(char *fields[3])
{
    unsigned char key[crypto_shorthash_KEYBYTES];
    unsigned char hash[crypto_shorthash_BYTES];
    hash_key(fields[0], key);
    crypto_shorthash(hash, (const unsigned char *)fields[1], strlen(fields[1]), key);
    assert_int_equal(bytes_get64(hash), strtoull(fields[2], NULL, 16));
}

static void check_pick(char *fields[3])
{
    span_t brokers[BROKERS_MAX];
    rendezvous_t *self = make(fields[0], brokers);
    span_t picked = brokers[rendezvous_pick(self, span_str(fields[1]))];
    if (!span_equal(picked, span_str(fields[2])))
        fail_msg("%s belongs to %.*s, not %s", fields[1], (int)picked.size, picked.data, fields[2]);
    rendezvous_destroy(&self);
    assert_null(self);
}

static void check_digest(char *fields[3])
{
    span_t brokers[BROKERS_MAX];
    rendezvous_t *self = make(fields[0], brokers);
    assert_hex(rendezvous_digest(self), RENDEZVOUS_DIGEST_SIZE, fields[1]);
    rendezvous_destroy(&self);
}

/* Gives every line of the vectors that begins with `word` to `check`. Returns how many there were. */
static unsigned replay(const char *word, void (*check)(char *fields[3]))
{
    char path[4096];
    snprintf(path, sizeof path, "%s/proto/vectors/rendezvous.txt", getenv("FERRY_SOURCE"));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    unsigned count = 0;
    char line[LINE_SIZE];
    while (fgets(line, sizeof line, file)) {
        char *rest = NULL;
        const char *first = strtok_r(line, " \n", &rest);
        if (first == NULL || strcmp(first, word) != 0)
            continue;
        char *fields[3] = {NULL};
        for (size_t i = 0; i < 3; i++)
            fields[i] = strtok_r(NULL, " \n", &rest);
        check(fields);
        count++;
    }
    fclose(file);
    return count;
}

static void the_published_keys_and_weights_follow_the_rule(void **state)
{
    (void)state;
    assert_int_equal(replay("key", check_key), 5);
    assert_int_equal(replay("weight", check_weight), 20);
}

static void the_published_owners_are_picked(void **state)
{
    (void)state;
    assert_int_equal(replay("pick", check_pick), 50);
}

static void the_published_digests_are_made(void **state)
{
    (void)state;
    assert_int_equal(replay("digest", check_digest), 6);
}

enum { PEERS = 20000 };

static span_t peer_name(unsigned number, char name[16])
{
    return span_of(name, (size_t)snprintf(name, 16, "peer-%u", number));
}

static void names_are_divided_evenly(void **state)
{
    (void)state;
    char list[] = "a,b,c,d";
    span_t brokers[BROKERS_MAX];
    rendezvous_t *self = make(list, brokers);
    unsigned counts[4] = {0};
    for (unsigned i = 0; i < PEERS; i++) {
        char name[16];
        counts[rendezvous_pick(self, peer_name(i, name))]++;
    }
    for (size_t i = 0; i < 4; i++)
        assert_in_range(counts[i], PEERS / 4 - 250, PEERS / 4 + 250);
    rendezvous_destroy(&self);
}

static void a_broker_that_goes_moves_only_its_own_names(void **state)
{
    (void)state;
    char all[] = "a,b,c,d";
    char rest[] = "d,b,a";
    span_t before[BROKERS_MAX];
    span_t after[BROKERS_MAX];
    rendezvous_t *four = make(all, before);
    rendezvous_t *three = make(rest, after);
    for (unsigned i = 0; i < PEERS; i++) {
        char text[16];
        span_t name = peer_name(i, text);
        span_t owner = before[rendezvous_pick(four, name)];
        if (!span_equal(owner, span_str("c")))
            assert_true(span_equal(owner, after[rendezvous_pick(three, name)]));
    }
    rendezvous_destroy(&four);
    rendezvous_destroy(&three);
}

static void a_list_that_is_none_is_refused(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'b', sizeof name);
    const span_t twice[] = {span_str("a"), span_str("b"), span_str("a")};
    const span_t empty[] = {span_str("a"), span_str("")};
    const span_t large[] = {span_of(name, sizeof name)};
    const span_t largest[] = {span_of(name, sizeof name - 1)};
    assert_null(rendezvous_new(NULL, 0));
    assert_null(rendezvous_new(twice, 3));
    assert_null(rendezvous_new(empty, 2));
    assert_null(rendezvous_new(large, 1));
    rendezvous_t *self = rendezvous_new(largest, 1);
    assert_non_null(self);
    assert_int_equal(rendezvous_pick(self, span_str("alice")), 0);
    rendezvous_destroy(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_keys_and_weights_follow_the_rule),
        cmocka_unit_test(the_published_owners_are_picked),
        cmocka_unit_test(the_published_digests_are_made),
        cmocka_unit_test(names_are_divided_evenly),
        cmocka_unit_test(a_broker_that_goes_moves_only_its_own_names),
        cmocka_unit_test(a_list_that_is_none_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
