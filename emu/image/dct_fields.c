/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of DCT fields; see dct.h. A test checks that it has neither gaps nor overlaps. */
#include "image/dct.h"

#include <string.h>

static const struct dct_choice ota_update_flag[] = {{"set", 0xA5}, {"clear", 0xFF}, {0}};
static const struct dct_choice claimed[] = {{"claimed", '1'}, {"unset", 0xFF}, {0}};
static const struct dct_choice setup_done[] = {{"done", 0x01}, {"not_done", 0xFF}, {0}};
static const struct dct_choice antenna[] = {{"internal", 1}, {"external", 2}, {"default", 0xFF}, {0}};
static const struct dct_choice transport[] = {{"tcp", 0}, {"udp", 0xFF}, {0}};
static const struct dct_choice slot_magic[] = {
    {"pending", DCT_SLOT_PENDING}, {"factory", DCT_SLOT_FACTORY}, {"free", DCT_SLOT_FREE}, {0}};
static const struct dct_choice flash_device[] = {
    {"internal", DCT_INTERNAL_FLASH}, {"external", DCT_EXTERNAL_FLASH}, {0}};
static const struct dct_choice module_function[] = {
    {"none", 0},      {"resource", 1}, {"bootloader", 2},   {"mono_firmware", 3}, {"system_part", 4},
    {"user_part", 5}, {"settings", 6}, {"ncp_firmware", 7}, {"radio_stack", 8},   {0}};
static const struct dct_choice factory_reset_done[] = {{"done", 0x5A}, {0}};
static const struct dct_choice reset_requested[] = {{"requested", 0xAAAA}, {"unset", 0xFFFF}, {0}};

/* clang-format off */
#define U8(name, at, choices)   {name, at, 1, DCT_U8, choices}
#define U16(name, at, choices)  {name, at, 2, DCT_U16, choices}
#define U32(name, at)           {name, at, 4, DCT_U32, NULL}
#define BYTES(name, at, size)   {name, at, size, DCT_BYTES, NULL}
#define TEXT(name, at, size)    {name, at, size, DCT_TEXT, NULL}

#define MODULE_SLOT(n) \
    U16("flash_modules[" #n "].magic_number", DCT_SLOTS_AT + n * DCT_SLOT_SIZE, slot_magic), \
    U8("flash_modules[" #n "].source_device", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 2, flash_device), \
    U8("flash_modules[" #n "].destination_device", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 3, flash_device), \
    U32("flash_modules[" #n "].source_address", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 4), \
    U32("flash_modules[" #n "].destination_address", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 8), \
    U32("flash_modules[" #n "].length", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 12), \
    U8("flash_modules[" #n "].flags", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 16, NULL), \
    U8("flash_modules[" #n "].module_function", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 17, module_function), \
    BYTES("flash_modules[" #n "].reserved", DCT_SLOTS_AT + n * DCT_SLOT_SIZE + 18, 2)

#define LED_MIRROR(n) \
    U8("led_mirror[" #n "].version", 3663 + n * 24, NULL), \
    BYTES("led_mirror[" #n "].alignment", 3663 + n * 24 + 1, 1), \
    U16("led_mirror[" #n "].pin", 3663 + n * 24 + 2, NULL), \
    U8("led_mirror[" #n "].flags", 3663 + n * 24 + 4, NULL), \
    BYTES("led_mirror[" #n "].padding", 3663 + n * 24 + 5, 19)

const struct dct_field dct_fields[] = {
    U32("system_flags.header", 0),
    U16("system_flags.bootloader_version", 4, NULL),
    U16("system_flags.nvmem_spark_reset", 6, NULL),
    U16("system_flags.flash_ota_update", 8, NULL),
    U16("system_flags.ota_flashed_status", 10, NULL),
    U16("system_flags.factory_reset", 12, reset_requested),
    U16("system_flags.iwdg_enable", 14, NULL),
    U8("system_flags.dfu_on_no_firmware", 16, NULL),
    U8("system_flags.factory_reset_done", 17, factory_reset_done),
    U8("system_flags.startup_mode", 18, NULL),
    U8("system_flags.features_enabled", 19, NULL),
    U32("system_flags.rcc_csr", 20),
    BYTES("system_flags.reserved", 24, 8),
    U16("version", 32, NULL),
    BYTES("device_private_key", 34, 1216),
    BYTES("device_public_key", 1250, 384),
    U8("ip_config.config_mode", 1634, NULL),
    BYTES("ip_config.padding", 1635, 3),
    BYTES("ip_config.host", 1638, 4),
    BYTES("ip_config.netmask", 1642, 4),
    BYTES("ip_config.gateway", 1646, 4),
    BYTES("ip_config.dns1", 1650, 4),
    BYTES("ip_config.dns2", 1654, 4),
    BYTES("unused", 1658, 95),
    U8("ota_update_flag", 1753, ota_update_flag),
    U32("feature_flags", 1754),
    BYTES("country_code", 1758, 4),
    TEXT("claim_code", 1762, 63),
    U8("claimed", 1825, claimed),
    BYTES("ssid_prefix", 1826, 26),
    TEXT("device_code", 1852, 6),
    TEXT("version_string", 1858, 32),
    BYTES("dns_resolve", 1890, 128),
    BYTES("reserved1", 2018, 64),
    BYTES("server_public_key", 2082, 768),
    BYTES("padding", 2850, 2),
    MODULE_SLOT(0),
    MODULE_SLOT(1),
    MODULE_SLOT(2),
    MODULE_SLOT(3),
    MODULE_SLOT(4),
    BYTES("product_store", 2952, 24),
    U8("antenna_selection", 2976, NULL),
    U8("cloud_transport", 2977, transport),
    BYTES("alt_device_public_key", 2978, 128),
    BYTES("alt_device_private_key", 3106, 192),
    BYTES("alt_server_public_key", 3298, 192),
    BYTES("alt_server_address", 3490, 128),
    BYTES("device_id", 3618, 12),
    U8("radio_flags", 3630, NULL),
    U16("mode_button_mirror.pin", 3631, NULL),
    U8("mode_button_mirror.interrupt_mode", 3633, NULL),
    U8("mode_button_mirror.active", 3634, NULL),
    U16("mode_button_mirror.debounce_time", 3635, NULL),
    BYTES("mode_button_mirror.padding", 3637, 26),
    LED_MIRROR(0),
    LED_MIRROR(1),
    LED_MIRROR(2),
    LED_MIRROR(3),
    BYTES("led_theme", 3759, 64),
    U8("eap_config.type", 3823, NULL),
    BYTES("eap_config.inner_identity", 3824, 64),
    U8("eap_config.inner_identity_len", 3888, NULL),
    BYTES("eap_config.outer_identity", 3889, 64),
    U8("eap_config.outer_identity_len", 3953, NULL),
    BYTES("eap_config.security_key", 3954, 64),
    U8("eap_config.security_key_len", 4018, NULL),
    BYTES("eap_config.ca_certificate", 4019, 4096),
    U16("eap_config.ca_certificate_len", 8115, NULL),
    BYTES("eap_config.padding", 8117, 2),
    TEXT("device_secret", 8119, 15),
    U8("setup_done", 8134, setup_done),
    U32("ncp_id", 8135),
    U32("power_config.flags", 8139),
    U8("power_config.version", 8143, NULL),
    U8("power_config.size", 8144, NULL),
    U16("power_config.vin_min_voltage", 8145, NULL),
    U16("power_config.vin_max_current", 8147, NULL),
    U16("power_config.charge_current", 8149, NULL),
    U16("power_config.termination_voltage", 8151, NULL),
    BYTES("power_config.reserved2", 8153, 2),
    BYTES("power_config.reserved3", 8155, 16),
    U8("radio_antenna", 8171, antenna),
    BYTES("reserved2", 8172, 219),
};
/* clang-format on */

const size_t dct_field_count = sizeof(dct_fields) / sizeof(*dct_fields);

const struct dct_field *dct_find(const char *name)
{
    for (size_t i = 0; i < dct_field_count; i++) {
        if (strcmp(dct_fields[i].name, name) == 0)
            return &dct_fields[i];
    }
    return NULL;
}
