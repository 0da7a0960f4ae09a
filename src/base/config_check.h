/* SPDX-License-Identifier: MPL-2.0 */
/* config_check: what must hold between options, each of which is right by itself. */
#ifndef FERRY_BASE_CONFIG_CHECK_H
#define FERRY_BASE_CONFIG_CHECK_H

#include "base/config.h"
#include "base/config_errors.h"

/* Tells every contradiction in a configuration that is complete. */
void config_check(const config_t *config, config_errors_t *errors);

#endif
