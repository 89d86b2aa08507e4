/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The A/B bootloader with a planted fault: power lost in the copy is the end of the program. */
#define AB_HASTY
#include "ab_loader.h"
