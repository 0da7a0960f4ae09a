/* SPDX-License-Identifier: MPL-2.0 */
/* A custody goes through random sequences of what a link and its broker do, beside a model that keeps every message for
 * ever and looks through all of them whenever it is asked something. */
#include "custody_rig.h"

enum { MESSAGES_MAX = 1500, SEEDS = 60, STEPS = 1500, RANGES_MAX = 24 };

/* What became of a copy: refused or lost, and counted here; or told to have ended after it was taken. */
typedef enum { FATE_OPEN, FATE_COUNTED, FATE_NODE, FATE_BROKER } fate_t;

typedef struct {
    bool is_report, kept, taken, settled;
    uint64_t session;
    uint32_t size;
    unsigned recipient_count, held, stated;
    fate_t fates[RIG_RECIPIENTS_MAX];
    bool left_out[RIG_RECIPIENTS_MAX]; /* of what is sent again */
    bool is_gap;
} message_t;

typedef struct {
    uint64_t first, end;
    bool sent, again; /* on some link before */
} kept_t;

typedef struct {
    custody_rig_t rig;
    message_t messages[MESSAGES_MAX + 1]; /* by number */
    uint64_t next, below;
    kept_t bodies[MESSAGES_MAX];
    size_t first_body, unsent_body, next_body; /* as in bodies.h */
    bool unsettled;
    uint64_t random;
    uint64_t refused, unconfirmed, handed_over;
} model_t;

static uint32_t model_random(model_t *self, uint32_t limit)
{
    self->random = self->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((self->random >> 33) % limit);
}

static uint64_t model_kept_end(const model_t *self)
{
    return self->next - self->rig.body_count;
}

static uint64_t model_sent_end(const model_t *self)
{
    return self->unsent_body < self->next_body ? self->bodies[self->unsent_body].first : model_kept_end(self);
}

/* NULL if there is no such number. */
static message_t *model_message(model_t *self, uint64_t number)
{
    return number > 0 && number < self->next ? &self->messages[number] : NULL;
}

static unsigned message_open_copies(const message_t *self)
{
    unsigned count = 0;
    for (unsigned i = 0; i < self->recipient_count && !self->taken; i++)
        count += self->fates[i] != FATE_COUNTED;
    return count;
}

static bool message_is_open(const message_t *self)
{
    return self && self->kept && !self->is_report && !self->taken;
}

static void model_check_settled(const model_t *self, message_t *message)
{
    if (message->taken && message->held == 0 && !self->unsettled)
        message->settled = true;
}

static void model_take(model_t *self, message_t *message)
{
    if (message->taken)
        return;
    self->handed_over += message_open_copies(message);
    message->taken = true;
    model_check_settled(self, message);
}

/* Bodies that were sent and have nothing left are let go at the front. */
static void model_drop_taken(model_t *self)
{
    for (; self->first_body < self->unsent_body; self->first_body++)
        for (uint64_t number = self->bodies[self->first_body].first; number < self->bodies[self->first_body].end;
             number++)
            if (!self->messages[number].taken)
                return;
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

/* Notes that what was accepted is in a body. */
static void model_keep(model_t *self)
{
    self->bodies[self->next_body++] = (kept_t){.first = model_kept_end(self), .end = self->next};
    for (uint64_t number = model_kept_end(self); number < self->next; number++)
        self->messages[number].kept = true;
}

static void step_keep(model_t *self)
{
    if (self->rig.body_count == 0)
        return;
    model_keep(self);
    rig_keep(&self->rig);
}

static void message_text(const message_t *self, uint64_t number, char text[RIG_SENT_SIZE])
{
    const char *comma = "";
    rig_put_text(text, "%u:", (unsigned)number);
    if (self->is_gap)
        rig_put_text(text, "-");
    else if (self->is_report)
        rig_put_text(text, "!bob");
    for (unsigned i = 0; i < self->recipient_count && !self->is_gap; i++) {
        if (self->left_out[i])
            continue;
        rig_put_text(text, "%sr%u", comma, i);
        comma = ",";
    }
    rig_put_text(text, " ");
}

static void step_send(model_t *self)
{
    char text[RIG_SENT_SIZE];
    if (self->unsent_body == self->next_body)
        return;
    kept_t *body = &self->bodies[self->unsent_body++];
    body->sent = true;
    snprintf(text, sizeof text, "%s", body->again ? "again " : "");
    for (uint64_t number = body->first; number < body->end; number++)
        message_text(&self->messages[number], number, text);
    rig_expect_sent(&self->rig, text);
}

static void step_note(model_t *self)
{
    uint64_t number = model_random(self, (uint32_t)self->next + 3);
    unsigned recipient = model_random(self, RIG_RECIPIENTS_MAX + 1);
    fate_t fate = FATE_COUNTED + model_random(self, 3);
    char name[8];
    snprintf(name, sizeof name, "r%u", recipient);
    message_t *message = model_message(self, number);
    bool is_open = message_is_open(message);
    bool ends = is_open && recipient < message->recipient_count && message->fates[recipient] == FATE_OPEN;
    bool is_news = is_open ? ends : fate != FATE_COUNTED;
    if (fate == FATE_COUNTED)
        assert_int_equal(rig_refuse(&self->rig, number, name, FERRY_ERROR_NO_SUCH_PEER), is_news);
    else
        assert_int_equal(rig_end(&self->rig, number, name, fate == FATE_NODE), is_news);
    if (!ends)
        return;
    message->fates[recipient] = fate;
    self->refused += fate == FATE_COUNTED;
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
    bool again = self->unsettled && model_random(self, 2);
    message_t *message = model_message(self, number);
    if (message && (again ? message->stated : message->held) >= message->recipient_count)
        return; /* no broker says that */
    if (again)
        rig_held_again(&self->rig, number);
    else
        rig_held(&self->rig, number);
    if (message && message->kept && !message->settled)
        ++*(again ? &message->stated : &message->held);
}

static void step_ended(model_t *self)
{
    uint64_t number = model_pick(self);
    message_t *message = model_message(self, number);
    rig_ended(&self->rig, number);
    if (!message)
        return;
    message->held -= message->held > 0 && !message->settled;
    model_check_settled(self, message);
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
        if (taken)
            model_take(self, message);
    }
    self->below = below;
    rig_taken_but(&self->rig, below, (const uint64_t(*)[2])ranges, count);
    model_drop_taken(self);
}

static void model_unsettle(model_t *self)
{
    self->unsettled = true;
    for (uint64_t number = 1; number < self->next; number++)
        self->messages[number].stated = 0;
}

static void step_settled(model_t *self)
{
    self->unsettled = false;
    for (uint64_t number = 1; number < self->next; number++) {
        message_t *message = &self->messages[number];
        message->held = message->stated;
        if (!message->settled)
            model_check_settled(self, message);
    }
    custody_settled(self->rig.custody);
}

static bool model_has_taken(model_t *self, const kept_t *body)
{
    for (uint64_t number = body->first; number < body->end; number++)
        if (model_message(self, number)->taken && !model_message(self, number)->is_gap)
            return true;
    return body->first < self->below;
}

/* The broker has not got some of the last bodies, of which it can have said nothing then. */
static void step_resume(model_t *self)
{
    size_t count = 0, most = model_random(self, 5);
    for (; count < most && self->unsent_body > self->first_body; count++) {
        if (model_has_taken(self, &self->bodies[self->unsent_body - 1]))
            break;
        self->unsent_body--;
    }
    model_unsettle(self);
    rig_resume(&self->rig, count);
}

static void message_begin_anew(message_t *self, custody_anew_t why, uint64_t *lost)
{
    unsigned left = 0;
    bool was_taken = self->taken;
    for (unsigned i = 0; i < self->recipient_count; i++) {
        self->left_out[i] = self->fates[i] != FATE_OPEN;
        left += !self->left_out[i];
        if (was_taken || self->fates[i] != FATE_BROKER)
            continue;
        /* On the next link nobody remembers whose ledger has it. */
        self->fates[i] = why == CUSTODY_NEW_BROKER ? FATE_COUNTED : FATE_NODE;
        *lost += why == CUSTODY_NEW_BROKER;
    }
    self->is_gap = was_taken || self->is_gap || (self->is_report ? why == CUSTODY_GIVEN_UP : left == 0);
}

static void step_begin_anew(model_t *self)
{
    custody_anew_t why = model_random(self, 2) ? CUSTODY_NEW_BROKER : CUSTODY_GIVEN_UP;
    if (self->rig.body_count)
        model_keep(self);
    model_unsettle(self);
    for (size_t i = self->first_body; i < self->next_body; i++) {
        self->bodies[i].again = self->bodies[i].sent;
        for (uint64_t number = self->bodies[i].first; number < self->bodies[i].end; number++) {
            message_begin_anew(&self->messages[number], why, &self->unconfirmed);
            if (self->messages[number].is_gap)
                model_take(self, &self->messages[number]);
        }
    }
    self->unsent_body = self->first_body;
    self->below = 1;
    rig_begin_anew(&self->rig, why);
}

static void model_check(const model_t *self)
{
    uint64_t floor = 1, copies = 0, size = 0;
    unsigned settled = 0;
    bool all_settled = true;
    while (floor < self->next && self->messages[floor].taken)
        floor++;
    for (uint64_t number = 1; number < self->next; number++) {
        const message_t *message = &self->messages[number];
        copies += message_open_copies(message);
        size += message->taken ? 0 : message->size;
        settled += message->settled && !message->is_report;
        all_settled = all_settled && message->taken && (message->settled || message->is_report);
    }
    const custody_t *custody = self->rig.custody;
    assert_int_equal(custody_next_number(custody), self->next);
    assert_int_equal(custody_sent_end(custody), model_sent_end(self));
    assert_int_equal(custody_floor(custody), floor);
    assert_int_equal(custody_open_copies(custody), copies);
    assert_int_equal(custody_open_size(custody), size);
    assert_int_equal(self->rig.settled_count, settled);
    assert_int_equal(custody_is_clear(custody), self->first_body == self->unsent_body);
    assert_int_equal(custody_sent_count(custody), self->unsent_body - self->first_body);
    assert_int_equal(custody_unsent_count(custody), self->next_body - self->unsent_body);
    assert_int_equal(custody_kept_first(custody),
        self->first_body < self->next_body ? self->bodies[self->first_body].first : model_kept_end(self));
    assert_int_equal(custody_is_settled(custody), all_settled);
    assert_int_equal(self->rig.ledger.refused[FERRY_ERROR_NO_SUCH_PEER], self->refused);
    assert_int_equal(self->rig.ledger.unconfirmed[FERRY_REASON_GATEWAY_LOST], self->unconfirmed);
    assert_int_equal(self->rig.ledger.handed_over, self->handed_over);
    rig_check_ledger(&self->rig);
}

static void (*const steps[])(model_t *self) = {
    step_accept,
    step_accept,
    step_accept,
    step_keep,
    step_send,
    step_send,
    step_note,
    step_note,
    step_held,
    step_held,
    step_ended,
    step_ended,
    step_taken,
};

/* Every message is taken and nothing held in the end. */
static void model_finish(model_t *self)
{
    step_keep(self);
    while (self->unsent_body < self->next_body)
        step_send(self);
    for (uint64_t number = 1; number < self->next; number++)
        model_take(self, &self->messages[number]);
    rig_taken(&self->rig, self->next);
    model_drop_taken(self);
    model_unsettle(self);
    custody_unsettle(self->rig.custody);
    step_settled(self);
    model_check(self);
    assert_true(custody_is_settled(self->rig.custody));
}

static void any_sequence_of_steps_ends_as_the_model_says(void **state)
{
    (void)state;
    static model_t model;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        memset(&model, 0, sizeof model);
        model.next = model.below = 1;
        model.random = seed;
        rig_open(&model.rig);
        for (unsigned step = 0; step < STEPS; step++) {
            static void (*const rare[])(model_t *) = {step_begin_anew, step_resume, step_settled, step_settled};
            if (model_random(&model, 40) == 0)
                rare[model_random(&model, 4)](&model);
            steps[model_random(&model, sizeof steps / sizeof *steps)](&model);
            model_check(&model);
        }
        model_finish(&model);
        rig_close(&model.rig);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {TEST(any_sequence_of_steps_ends_as_the_model_says)};
    return TEST_RUN(tests);
}
