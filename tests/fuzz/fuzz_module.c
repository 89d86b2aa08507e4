/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>

#include "image/module.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct module_file *file = malloc(sizeof(*file));
    if (!file) {
        return 0;
    }
    struct diag why;
    int result = module_file_parse(data, len, file, &why);
    for (size_t i = 0; result != MODULE_NOT_A_MODULE && i < file->count; i++) {
        struct module_bytes bytes;
        if (module_device_bytes(&file->modules[i], &bytes, &why) == MODULE_OK) {
            module_bytes_free(&bytes);
        }
    }
    free(file);
    return 0;
}
