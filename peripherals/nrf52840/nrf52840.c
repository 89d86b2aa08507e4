/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nrf52840/nrf52840.h"

#include <string.h>

int nrf52840_init(struct nrf52840 *soc, struct bus *bus)
{
    soc->bus = bus;
    int error = nor_init(&soc->flash, "internal", NRF52840_FLASH_SIZE, NRF52840_FLASH_PAGE, &bus->signals);
    if (error)
        return error;
    error = nor_init(&soc->uicr, "uicr", NRF52840_UICR_SIZE, NRF52840_UICR_SIZE, &bus->signals);
    if (error) {
        nor_destroy(&soc->flash);
        return error;
    }
    bus->flash = &soc->flash;
    gpio_init(&soc->gpio, bus); /* first: the others are given pins by it */
    ficr_init(&soc->ficr, bus);
    uicr_init(&soc->uicr_page, bus, &soc->nvmc);
    clocks_init(&soc->clocks, bus);
    power_init(&soc->power, &soc->clocks, &soc->gpio, &soc->uicr);
    radio_init(&soc->radio, bus);
    uarte_init(&soc->uarte[0], bus, &soc->gpio, 0);
    uart_init(&soc->uart, &soc->uarte[0].block, &soc->gpio);
    for (unsigned i = 0; i < 4; i++)
        serial_box_init(&soc->serial[i], bus, i);
    nfct_init(&soc->nfct, bus);
    gpiote_init(&soc->gpiote, bus, &soc->gpio);
    saadc_init(&soc->saadc, bus, &soc->power);
    for (unsigned i = 0; i < 5; i++)
        timer_init(&soc->timer[i], bus, i);
    for (unsigned i = 0; i < 3; i++)
        rtc_init(&soc->rtc[i], bus, &soc->clocks, i);
    temp_init(&soc->temp, bus);
    rng_init(&soc->rng, bus);
    ecb_init(&soc->ecb, bus);
    ccm_init(&soc->ccm, bus);
    aar_init(&soc->aar, &soc->ccm.block);
    wdt_init(&soc->wdt, bus, &soc->clocks);
    qdec_init(&soc->qdec, bus);
    comp_init(&soc->comp, bus, &soc->power);
    lpcomp_init(&soc->lpcomp, &soc->comp.block, &soc->power);
    for (unsigned i = 0; i < 6; i++)
        egu_init(&soc->egu[i], bus, i);
    for (unsigned i = 0; i < 4; i++)
        pwm_init(&soc->pwm[i], bus, &soc->gpio, i);
    pdm_init(&soc->pdm, bus);
    nvmc_init(&soc->nvmc, bus, &soc->flash, &soc->uicr, &soc->power);
    soc->power.brownout = nvmc_brownout;
    soc->power.brownout_context = &soc->nvmc;
    ppi_init(&soc->ppi, bus);
    mwu_init(&soc->mwu, bus);
    i2s_init(&soc->i2s, bus);
    fpu_init(&soc->fpu, bus);
    usbd_init(&soc->usbd, bus, &soc->power);
    uarte_init(&soc->uarte[1], bus, &soc->gpio, 1);
    qspi_init(&soc->qspi, bus);
    cryptocell_init(&soc->cryptocell, bus);
    rom_table_init(&soc->rom_table, bus);
    return 0;
}

void nrf52840_destroy(struct nrf52840 *soc)
{
    nor_destroy(&soc->flash);
    nor_destroy(&soc->uicr);
}

int nrf52840_input(struct nrf52840 *soc, const char *what, double value)
{
    if (strcmp(what, "anomaly_215"))
        return -1;
    soc->qspi.halts = value != 0;
    return 0;
}

void nrf52840_save(struct nrf52840 *soc, struct state *state)
{
    nor_save(&soc->flash, state);
    nor_save(&soc->uicr, state);
}
