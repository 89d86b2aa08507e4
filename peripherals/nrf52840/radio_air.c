/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/radio_air.h"

#define US 64u /* cycles */

enum {
    MODE_NRF_2MBIT = 1,
    MODE_BLE_2MBIT = 4,
    MODE_LR_125KBIT = 5,
    MODE_LR_500KBIT = 6,
    MODE_IEEE802154 = 15,
};

enum {
    PCNF0_CRCINC = 1u << 26,
    MODECNF0_FAST = 1u << 0,
};

/* The coded PHY sends preamble, address, coding indicator and first termination at 125 kbit/s always. */
enum {
    CODED_PREAMBLE_US = 80,
    CODED_ADDRESS_US = 256,
    CODED_INDICATOR_US = 16,
    CODED_TERM1_US = 24,
    CODED_TERM2_BITS = 3,
};

static uint32_t mode_of(const struct radio_air *air)
{
    return air->mode & 0xf;
}

static bool coded(const struct radio_air *air)
{
    return mode_of(air) == MODE_LR_125KBIT || mode_of(air) == MODE_LR_500KBIT;
}

static bool two_mbit(const struct radio_air *air)
{
    return mode_of(air) == MODE_NRF_2MBIT || mode_of(air) == MODE_BLE_2MBIT;
}

static bool ieee802154(const struct radio_air *air)
{
    return mode_of(air) == MODE_IEEE802154;
}

uint64_t radio_air_bit(const struct radio_air *air)
{
    switch (mode_of(air)) {
    case MODE_NRF_2MBIT:
    case MODE_BLE_2MBIT:
        return US / 2;
    case MODE_LR_125KBIT:
        return 8 * US;
    case MODE_LR_500KBIT:
        return 2 * US;
    case MODE_IEEE802154:
        return 4 * US;
    default:
        return US;
    }
}

uint64_t radio_air_ramp_up(const struct radio_air *air)
{
    if (air->modecnf0 & MODECNF0_FAST)
        return 40 * US;
    return (ieee802154(air) ? 130 : 140) * US;
}

uint64_t radio_air_tx_disable(const struct radio_air *air)
{
    return (ieee802154(air) ? 21 : two_mbit(air) ? 4 : 6) * US;
}

uint64_t radio_air_rx_disable(const struct radio_air *air)
{
    return ieee802154(air) ? US / 2 : 0;
}

bool radio_air_has_frame_start(const struct radio_air *air)
{
    return coded(air) || ieee802154(air);
}

bool radio_air_has_address(const struct radio_air *air)
{
    return !ieee802154(air);
}

uint64_t radio_air_address(const struct radio_air *air)
{
    if (coded(air))
        return (CODED_PREAMBLE_US + CODED_ADDRESS_US) * US;
    if (ieee802154(air))
        return (4 + 1) * 8 * radio_air_bit(air);
    uint32_t preamble = (air->pcnf0 >> 24 & 3) == 1 ? 2 : 1;
    uint32_t address = (air->pcnf1 >> 16 & 7) + 1; /* base and prefix */
    return (preamble + address) * 8 * radio_air_bit(air);
}

uint64_t radio_air_frame_start(const struct radio_air *air)
{
    if (coded(air))
        return (CODED_INDICATOR_US + CODED_TERM1_US) * US;
    return ieee802154(air) ? 8 * radio_air_bit(air) : 0; /* the length field */
}

static uint32_t s0_size(const struct radio_air *air)
{
    return air->pcnf0 >> 8 & 1;
}

static uint32_t length_bits(const struct radio_air *air)
{
    return air->pcnf0 & 0xf;
}

static uint32_t crc_size(const struct radio_air *air)
{
    return air->crccnf & 3;
}

/* Octets between S1 and the CRC. */
static uint32_t payload_size(const struct radio_air *air, const uint8_t header[2])
{
    uint32_t bits = length_bits(air);
    uint32_t length = bits ? header[s0_size(air)] & ((1u << (bits < 8 ? bits : 8)) - 1) : 0;
    uint32_t most = air->pcnf1 & 0xff;
    if (air->pcnf0 & PCNF0_CRCINC)
        length = length > crc_size(air) ? length - crc_size(air) : 0;
    return (length < most ? length : most) + (air->pcnf1 >> 8 & 0xff);
}

uint64_t radio_air_payload(const struct radio_air *air, const uint8_t header[2])
{
    uint32_t header_bits = 8 * s0_size(air) + length_bits(air) + (air->pcnf0 >> 16 & 0xf);
    if (ieee802154(air))
        header_bits = 0; /* sent before FRAMESTART */
    return (header_bits + 8 * payload_size(air, header)) * radio_air_bit(air);
}

uint64_t radio_air_crc(const struct radio_air *air)
{
    return 8 * crc_size(air) * radio_air_bit(air);
}

uint64_t radio_air_termination(const struct radio_air *air)
{
    return coded(air) ? CODED_TERM2_BITS * radio_air_bit(air) : 0;
}
