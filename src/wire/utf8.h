/* SPDX-License-Identifier: MPL-2.0 */
/* utf8 stands in base, where the log needs it too. */
#include "base/utf8.h"
