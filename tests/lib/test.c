/* SPDX-License-Identifier: MPL-2.0 */
/* test: what is left of a test goes with it. */
#include "lib/test.h"

#include "lib/client.h"
#include "lib/crowd.h"
#include "lib/folder.h"
#include "lib/played_endpoint.h"
#include "lib/played_gateway.h"
#include "lib/process.h"
#include "lib/program.h"
#include "lib/relay.h"
#include "lib/server.h"
#include "lib/terminal.h"

int test_clear(void **state)
{
    (void)state;
    crowd_destroy_all();
    client_close_all();
    program_close_all();
    played_endpoint_close_all();
    played_gateway_close_all();
    terminal_close_all();
    relay_destroy_all();
    server_forget_all();
    process_end_all();
    process_limit_descriptors(0);
    folder_remove_all();
    return 0;
}
