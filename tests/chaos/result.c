/* SPDX-License-Identifier: MPL-2.0 */
/* result: adds nothing up that the account has not; medians come from a sorted copy. Nothing can fail but memory, which
 * aborts. */
#include "chaos/result.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void result_fini(result_t *self)
{
    free(self->pauses_ms);
    self->pauses_ms = NULL;
    self->times = 0;
}

void result_add_pause(result_t *self, int64_t pause_ms)
{
    self->pauses_ms = realloc(self->pauses_ms, (self->times + 1) * sizeof(*self->pauses_ms));
    assert(self->pauses_ms);
    self->pauses_ms[self->times++] = pause_ms;
}

static int compare(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left;
    int64_t b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The pause that `rank` of the others are no longer than. */
static int64_t ranked_ms(const result_t *self, unsigned rank)
{
    if (self->times == 0)
        return 0;
    int64_t *sorted = malloc(self->times * sizeof(*sorted));
    assert(sorted);
    memcpy(sorted, self->pauses_ms, self->times * sizeof(*sorted));
    qsort(sorted, self->times, sizeof(*sorted), compare);
    int64_t pause_ms = sorted[rank];
    free(sorted);
    return pause_ms;
}

int64_t result_median_ms(const result_t *self)
{
    return ranked_ms(self, self->times / 2);
}

int64_t result_longest_ms(const result_t *self)
{
    return ranked_ms(self, self->times - 1);
}

uint64_t result_told(const result_t *self)
{
    const uint64_t *ends = self->steady.ends;
    return ends[ACCOUNT_REFUSED] + ends[ACCOUNT_RETURNED] + ends[ACCOUNT_UNCONFIRMED];
}

void result_print_head(FILE *file)
{
    fputs("| fault | times | messages | copies | lost | doubled | disordered | refused | returned | unconfirmed | in "
          "doubt "
          "| told among the steady | median pause, ms | longest pause, ms | steady connections closed |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
        file);
}

void result_print(const result_t *self, FILE *file)
{
    const account_sum_t *all = &self->all;
    if (self->failed) {
        fprintf(file, "| %s | %s | | | | | | | | | | | | | |\n", self->fault, self->failed);
        return;
    }
    fprintf(file, "| %s | %u | %ju | %ju | %ju | %ju | %ju | %ju | %ju | %ju | %ju | %ju | %jd | %jd | %u |\n",
        self->fault, self->times, (uintmax_t)self->messages, (uintmax_t)all->copies, (uintmax_t)all->lost,
        (uintmax_t)all->doubled, (uintmax_t)all->disordered, (uintmax_t)all->ends[ACCOUNT_REFUSED],
        (uintmax_t)all->ends[ACCOUNT_RETURNED], (uintmax_t)all->ends[ACCOUNT_UNCONFIRMED], (uintmax_t)all->doubtful,
        (uintmax_t)result_told(self), (intmax_t)result_median_ms(self), (intmax_t)result_longest_ms(self), self->cuts);
}
