/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The lamps as a value change dump (IEEE 1364-2005, chapter 18) for waveform viewers: each lamp a scope with
 * r, g and b of eight bits (0..255, fraction of time lit), and an event for each start of the firmware. One
 * unit of time is a virtual microsecond.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "report/result.h"

#define CHANNELS  3
#define RESET_ID  "!"
#define CODE_BASE 93 /* printable characters after '!' */

/* The short name that the file uses for a channel. */
static void write_id(FILE *out, size_t light, size_t channel)
{
    size_t number = light * CHANNELS + channel;
    do {
        fputc((int)('"' + number % CODE_BASE), out);
        number /= CODE_BASE;
    } while (number > 0);
}

static void write_header(const struct run_result *result, FILE *out)
{
    static const char names[CHANNELS] = {'r', 'g', 'b'};
    fprintf(out, "$version sosim %s $end\n$timescale 1 us $end\n", SOSIM_VERSION);
    fprintf(out, "$var event 1 %s reset $end\n", RESET_ID);
    for (size_t i = 0; i < result->light_count; i++) {
        fprintf(out, "$scope module %s $end\n", result->lights[i].name);
        for (size_t channel = 0; channel < CHANNELS; channel++) {
            fprintf(out, "$var wire 8 ");
            write_id(out, i, channel);
            fprintf(out, " %c $end\n", names[channel]);
        }
        fprintf(out, "$upscope $end\n");
    }
    fprintf(out, "$enddefinitions $end\n");
}

static void write_value(FILE *out, uint8_t value, size_t light, size_t channel)
{
    fputc('b', out);
    for (int bit = 7; bit >= 0; bit--)
        fputc('0' + (value >> bit & 1), out);
    fputc(' ', out);
    write_id(out, light, channel);
    fputc('\n', out);
}

static void write_edge(FILE *out, size_t light, const struct led_edge *edge)
{
    write_value(out, edge->r, light, 0);
    write_value(out, edge->g, light, 1);
    write_value(out, edge->b, light, 2);
}

/* Where each list of events has got to. */
struct cursor {
    size_t boot;
    size_t *edge; /* one for each light */
};

static double next_time(const struct run_result *result, const struct cursor *cursor)
{
    double next = INFINITY;
    if (cursor->boot < result->boot_count)
        next = result->boots[cursor->boot].t_ms;
    for (size_t i = 0; i < result->light_count; i++) {
        const struct result_light *light = &result->lights[i];
        if (cursor->edge[i] < light->edge_count && light->edges[cursor->edge[i]].t_ms < next)
            next = light->edges[cursor->edge[i]].t_ms;
    }
    return next;
}

static void write_changes(const struct run_result *result, struct cursor *cursor, FILE *out)
{
    static const struct led_edge dark = {0};
    fprintf(out, "#0\n$dumpvars\n");
    for (size_t i = 0; i < result->light_count; i++)
        write_edge(out, i, &dark);
    fprintf(out, "$end\n");
    double written = 0;
    for (double t = next_time(result, cursor); t < INFINITY; t = next_time(result, cursor)) {
        double us = round(t * 1000);
        if (us > written)
            fprintf(out, "#%.0f\n", us);
        written = us > written ? us : written;
        for (; cursor->boot < result->boot_count && result->boots[cursor->boot].t_ms <= t; cursor->boot++)
            fprintf(out, "1%s\n", RESET_ID);
        for (size_t i = 0; i < result->light_count; i++) {
            const struct result_light *light = &result->lights[i];
            while (cursor->edge[i] < light->edge_count && light->edges[cursor->edge[i]].t_ms <= t)
                write_edge(out, i, &light->edges[cursor->edge[i]++]);
        }
    }
    if (round(result->virtual_ms * 1000) > written)
        fprintf(out, "#%.0f\n", round(result->virtual_ms * 1000));
}

int result_write_vcd(const struct run_result *result, FILE *out)
{
    struct cursor cursor = {.edge = calloc(result->light_count + 1, sizeof *cursor.edge)};
    if (result->out_of_memory || !cursor.edge) {
        free(cursor.edge);
        errno = ENOMEM;
        return -1;
    }
    write_header(result, out);
    write_changes(result, &cursor, out);
    free(cursor.edge);
    return fflush(out) == 0 && !ferror(out) ? 0 : -1;
}
