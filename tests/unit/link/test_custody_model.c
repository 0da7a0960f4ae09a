/* SPDX-License-Identifier: MPL-2.0 */
/* A custody goes through random sequences of what a link and its broker do, beside a model that keeps every message for
 * ever and looks through all of them whenever it is asked something. */
#include "custody_rig.h"

enum { MESSAGES_MAX = 2000, SEEDS = 60, STEPS = 1500, RANGES_MAX = 24 };

typedef struct {
    bool is_report, kept, sent, taken, settled;
    uint64_t session;
    uint32_t size;
    unsigned recipient_count, held;
    bool refused[RIG_RECIPIENTS_MAX];
} message_t;

typedef struct {
    custody_rig_t rig;
    message_t messages[MESSAGES_MAX + 1]; /* by number */
    uint64_t next;
    uint64_t bodies[MESSAGES_MAX]; /* first numbers of the kept bodies that were not sent */
    size_t body_count;
    uint64_t random;
    uint64_t refused, unconfirmed, handed_over;
    char said[RIG_SAID_SIZE];
} model_t;

static uint32_t model_random(model_t *self, uint32_t limit)
{
    self->random = self->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((self->random >> 33) % limit);
}

static uint64_t model_sent_end(const model_t *self)
{
    uint64_t number = 1;
    while (number < self->next && self->messages[number].sent)
        number++;
    return number;
}

static unsigned message_open_copies(const message_t *self)
{
    unsigned count = 0;
    for (unsigned i = 0; i < self->recipient_count && !self->taken; i++)
        count += !self->refused[i];
    return count;
}

static void message_check_settled(message_t *self)
{
    if (self->taken && self->held == 0)
        self->settled = true;
}

static void step_accept(model_t *self)
{
    if (self->next > MESSAGES_MAX)
        return;
    message_t *message = &self->messages[self->next++];
    *message = (message_t){.is_report = model_random(self, 8) == 0};
    if (message->is_report) {
        rig_accept_report(&self->rig, "bob");
        return;
    }
    message->session = model_random(self, RIG_SESSIONS_MAX);
    message->recipient_count = 1 + model_random(self, RIG_RECIPIENTS_MAX);
    message->size = rig_accept(&self->rig, message->session, message->recipient_count, model_random(self, 50));
}

static void step_keep(model_t *self)
{
    if (self->rig.body_count == 0)
        return;
    self->bodies[self->body_count++] = self->next - self->rig.body_count;
    for (uint64_t number = self->next - self->rig.body_count; number < self->next; number++)
        self->messages[number].kept = true;
    rig_keep(&self->rig);
}

static void step_send(model_t *self)
{
    assert_int_equal(custody_unsent_count(self->rig.custody), self->body_count);
    if (self->body_count == 0)
        return;
    assert_int_equal(rig_send(&self->rig), self->bodies[0]);
    self->body_count--;
    memmove(self->bodies, self->bodies + 1, self->body_count * sizeof *self->bodies);
    uint64_t end = self->body_count ? self->bodies[0] : self->next - self->rig.body_count;
    for (uint64_t number = 1; number < end; number++)
        self->messages[number].sent = true;
}

static void step_refuse(model_t *self)
{
    uint64_t number = model_random(self, (uint32_t)self->next + 3);
    unsigned recipient = model_random(self, RIG_RECIPIENTS_MAX + 1);
    char name[8];
    snprintf(name, sizeof name, "r%u", recipient);
    message_t *message = number > 0 && number < self->next ? &self->messages[number] : NULL;
    bool is_open = message && message->kept && !message->is_report && !message->taken &&
                   recipient < message->recipient_count && !message->refused[recipient];
    assert_int_equal(rig_refuse(&self->rig, number, name, FERRY_ERROR_NO_SUCH_PEER), is_open);
    if (!is_open)
        return;
    message->refused[recipient] = true;
    self->refused++;
}

/* Most HELD and ENDED are of messages that were just sent; some are of anything. */
static uint64_t model_pick(model_t *self)
{
    uint64_t end = model_sent_end(self);
    if (model_random(self, 10) == 0 || end < 20)
        return model_random(self, (uint32_t)self->next + 3);
    return end - 1 - model_random(self, 19);
}

static void step_held(model_t *self)
{
    uint64_t number = model_pick(self);
    message_t *message = number > 0 && number < self->next ? &self->messages[number] : NULL;
    if (message && message->held >= message->recipient_count)
        return; /* no broker says that */
    rig_held(&self->rig, number);
    if (message && message->kept && !message->taken)
        message->held++;
}

static void step_ended(model_t *self)
{
    uint64_t number = model_pick(self);
    message_t *message = number > 0 && number < self->next ? &self->messages[number] : NULL;
    rig_ended(&self->rig, number);
    if (message && message->held > 0 && !message->settled)
        message->held--;
    if (message)
        message_check_settled(message);
}

/* Takes some of the messages that were sent, older ones more likely, and tells it in one record, which has at most so
 * many ranges that `below` must fall back at times. */
static void step_taken(model_t *self)
{
    uint64_t end = model_sent_end(self), below = 1 + model_random(self, (uint32_t)end);
    uint64_t ranges[RANGES_MAX][2];
    size_t count = 0, limit = 1 + model_random(self, RANGES_MAX);
    unsigned stubborn = 1 + model_random(self, 4);
    for (uint64_t number = 1; number < below; number++) {
        message_t *message = &self->messages[number];
        bool taken = message->taken || model_random(self, 4) >= stubborn;
        bool extends = count > 0 && ranges[count - 1][0] + ranges[count - 1][1] == number;
        if (!taken && !extends && count == limit) {
            below = number;
            break;
        }
        if (!taken && extends)
            ranges[count - 1][1]++;
        else if (!taken)
            memcpy(ranges[count++], (uint64_t[]){number, 1}, sizeof ranges[0]);
        if (!taken || message->taken)
            continue;
        self->handed_over += message_open_copies(message);
        message->taken = true;
        message_check_settled(message);
    }
    rig_taken_but(&self->rig, below, (const uint64_t(*)[2])ranges, count);
}

static void model_lose_message(model_t *self, uint64_t number)
{
    message_t *message = &self->messages[number];
    char text[32];
    for (unsigned i = 0; i < message->recipient_count; i++) {
        if (message->refused[i])
            continue;
        snprintf(text, sizeof text, "%u:r%u ", (unsigned)message->session, i);
        strcat(self->said, text);
        self->unconfirmed++;
    }
}

static void step_lose(model_t *self)
{
    uint64_t end = model_sent_end(self), next = self->next;
    self->said[0] = '\0';
    for (uint64_t number = 1; number < end; number++) {
        message_t *message = &self->messages[number];
        if (!message->taken && !message->is_report)
            model_lose_message(self, number);
        if (!message->taken && message->is_report) {
            strcat(self->said, "!bob ");
            assert_true(next < MESSAGES_MAX);
            self->messages[next++] = (message_t){.is_report = true};
        }
        message->taken = message->settled = true;
        message->held = 0;
    }
    self->next = next;
    rig_lose(&self->rig);
    assert_string_equal(self->rig.said, self->said);
}

static void model_check(const model_t *self)
{
    uint64_t floor = 1, copies = 0, size = 0;
    unsigned settled = 0;
    bool clear = true, all_settled = true;
    while (floor < self->next && self->messages[floor].taken)
        floor++;
    for (uint64_t number = 1; number < self->next; number++) {
        const message_t *message = &self->messages[number];
        copies += message_open_copies(message);
        size += message->taken ? 0 : message->size;
        settled += message->settled && !message->is_report;
        clear = clear && (message->taken || !message->sent);
        all_settled = all_settled && message->taken && (message->settled || message->is_report);
    }
    const custody_t *custody = self->rig.custody;
    assert_int_equal(custody_next_number(custody), self->next);
    assert_int_equal(custody_sent_end(custody), model_sent_end(self));
    assert_int_equal(custody_floor(custody), floor);
    assert_int_equal(custody_open_copies(custody), copies);
    assert_int_equal(custody_open_size(custody), size);
    assert_int_equal(self->rig.settled_count, settled);
    assert_int_equal(custody_is_clear(custody), clear);
    assert_int_equal(custody_is_settled(custody), all_settled);
    assert_int_equal(self->rig.ledger.refused[FERRY_ERROR_NO_SUCH_PEER], self->refused);
    assert_int_equal(self->rig.ledger.unconfirmed[FERRY_REASON_BROKER_LOST], self->unconfirmed);
    assert_int_equal(self->rig.ledger.handed_over, self->handed_over);
    rig_check_ledger(&self->rig);
}

static void (*const steps[])(model_t *self) = {
    step_accept,
    step_accept,
    step_accept,
    step_keep,
    step_send,
    step_refuse,
    step_refuse,
    step_held,
    step_held,
    step_ended,
    step_ended,
    step_taken,
};

static void any_sequence_of_steps_ends_as_the_model_says(void **state)
{
    (void)state;
    static model_t model;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        memset(&model, 0, sizeof model);
        model.next = 1;
        model.random = seed;
        rig_open(&model.rig);
        for (unsigned step = 0; step < STEPS; step++) {
            if (model_random(&model, 200) == 0)
                step_lose(&model);
            steps[model_random(&model, sizeof steps / sizeof *steps)](&model);
            model_check(&model);
        }
        step_lose(&model);
        model_check(&model);
        rig_close(&model.rig);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {TEST(any_sequence_of_steps_ends_as_the_model_says)};
    return TEST_RUN(tests);
}
