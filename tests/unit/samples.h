/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the files that tests/samples/ makes at build time. Failing to read one fails the test. */
#ifndef SOSIM_TEST_SAMPLES_H
#define SOSIM_TEST_SAMPLES_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "image/file.h"

struct sample {
    uint8_t *data; /* with a zero byte behind, so that text samples are strings */
    size_t len;
};

static inline struct sample sample_read(const char *name)
{
    char path[512];
    struct sample sample = {0};
    struct diag why;
    snprintf(path, sizeof(path), "%s/%s", SOSIM_SAMPLES, name);
    cr_assert_eq(file_read_all(path, 0x1000000, &sample.data, &sample.len, &why), FILE_OK, "%s", why.text);
    return sample;
}

#endif
