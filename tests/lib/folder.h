/* SPDX-License-Identifier: MPL-2.0 */
/* folder: a temporary folder for a test, removed with everything in it when the test ends. The test's thread. */
#ifndef FERRY_TESTS_FOLDER_H
#define FERRY_TESTS_FOLDER_H

/* Makes an empty folder and returns its path, valid until the test ends; fails the running cmocka test if it cannot. */
const char *folder_new(void);

/* Removes every folder that is left. */
void folder_remove_all(void);

#endif
