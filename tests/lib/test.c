/* SPDX-License-Identifier: MPL-2.0 */
/* test: what is left of a test goes with it. */
#include "lib/test.h"

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/folder.h"
#include "lib/process.h"
#include "lib/server.h"

int test_clear(void **state)
{
    (void)state;
    crowd_destroy_all();
    client_close_all();
    server_forget_all();
    process_end_all();
    folder_remove_all();
    return 0;
}
