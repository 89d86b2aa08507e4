/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The A/B bootloader as it should be. */
#include "ab_loader.h"
