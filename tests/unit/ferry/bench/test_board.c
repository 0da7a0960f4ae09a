/* SPDX-License-Identifier: MPL-2.0 */
#include "ferry/bench/board.h"

#include <sys/wait.h>
#include <unistd.h>

#include "lib/test.h"

/* Each child counts on its own tally. */
static void what_processes_count_is_added_up(void **state)
{
    (void)state;
    board_t *board = board_new(3, 10, 4);
    for (unsigned i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            board_count(&board->tallies[i].delivered, 10 + i);
            board_count(&board->tallies[i].written, 20);
            board_count(&board->tallies[i].written, -UINT64_C(5));
            atomic_fetch_add(&board->taken[9], 1);
            histogram_add(&board->tallies[i].latency, 100 * (i + 1));
            atomic_store(&board->tallies[i].done, i == 1 ? PHASE_SENDERS : PHASE_READERS);
            _exit(0);
        }
        assert_int_equal(waitpid(child, NULL, 0), child);
    }
    board_sum_t sum = board_sum(board);
    assert_int_equal(sum.delivered, 33);
    assert_int_equal(sum.written, 45);
    assert_int_equal(atomic_load(&board->taken[9]), 3);
    assert_int_equal(board->tallies[2].latency.max, 300);
    assert_true(board_all_done(board, PHASE_SENDERS));
    assert_false(board_all_done(board, PHASE_READERS));
    board_destroy(&board);
    assert_null(board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_processes_count_is_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
