/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What it means how a point ended: which firmware is there, and whether settings and files survived. */
#include "image/bytes.h"
#include "image/module.h"
#include "image/module_set.h"
#include "report/plain_text.h"
#include "scenario/sweep_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct class_row {
    const char *words, *key;
};

static const struct class_row classes[SWEEP_CLASSES] = {
    [SWEEP_NEW] = {"boots new", "new"},
    [SWEEP_RESUMED] = {"resumes and boots", "resumed"},
    [SWEEP_OLD] = {"boots old", "old"},
    [SWEEP_SAME] = {"boots", "boots"},
    [SWEEP_UNMET] = {"not as expected", "unmet"},
    [SWEEP_MIXED] = {"boots with new and old modules", "mixed"},
    [SWEEP_SAFE_MODE] = {"safe mode", "safe-mode"},
    [SWEEP_DFU] = {"DFU", "DFU"},
    [SWEEP_SOS_ONCE] = {"SOS, then boots", "SOS-once"},
    [SWEEP_SOS] = {"SOS for ever", "SOS"},
    [SWEEP_DARK] = {"dark hang", "dark"},
    [SWEEP_LAMP_OFF] = {"works with a dark lamp", "lamp-off"},
    [SWEEP_RESETS] = {"resets for ever", "resets"},
    [SWEEP_STUCK] = {"stuck", "stuck"},
    [SWEEP_WRONG] = {"wrong image", "wrong"},
    [SWEEP_DATA_LOST] = {"data lost", "data-lost"},
    [SWEEP_EMULATOR] = {"the emulator could not go on", "emulator"},
};

const char *sweep_class_words(enum sweep_class class)
{
    return classes[class].words;
}

const char *sweep_class_key(enum sweep_class class)
{
    return classes[class].key;
}

/* --- settings and files ---------------------------------------------------------------------------------
 */

void data_view_free(struct data_view *view)
{
    free(view->image);
    *view = (struct data_view){0};
}

static int mount(const struct data_view *view, struct lfs_fs *fs)
{
    struct lfs_image image;
    return lfs_image_init(&image, view->image, view->size, LFS_BLOCK_COUNT, NULL) ||
           lfs_image_mount(&image, fs, NULL);
}

static int data_view_make(const struct sweep_inner *inner, const uint32_t *ids, struct data_view *view)
{
    struct lfs_fs fs;
    int array = flash_view_array(&inner->view, "external");
    *view = (struct data_view){0};
    if (array < 0 || inner->view.nor[array]->size < LFS_BLOCK_COUNT * LFS_BLOCK_SIZE)
        return 0;
    view->size = LFS_BLOCK_COUNT * LFS_BLOCK_SIZE;
    if (!(view->image = malloc(view->size)))
        return ENOMEM;
    for (uint32_t n = 0; n < LFS_BLOCK_COUNT; n++)
        memcpy(view->image + n * LFS_BLOCK_SIZE, inner->store.bytes[ids[inner->view.first[array] + n]],
               LFS_BLOCK_SIZE);
    view->mounted = !mount(view, &fs);
    view->has_dct = view->mounted && !dct_load(&fs, view->dct, NULL);
    return 0;
}

int sweep_allow_data(struct sweep_inner *inner, const uint32_t *ids)
{
    return inner->allowed_count < DATA_VIEWS
               ? data_view_make(inner, ids, &inner->allowed[inner->allowed_count++])
               : 0;
}

/* A field that had a value and has none of those that the control run gives it; or there is no whole DCT. */
static bool settings_lost(const struct sweep_inner *inner, const struct data_view *is, FILE *tell)
{
    const struct data_view *was = &inner->allowed[0];
    bool lost = inner->allowed[DATA_AFTER].has_dct && !is->has_dct;
    if (lost && tell)
        fprintf(tell, "there is no whole %s\n", DCT_PATH);
    for (size_t f = 0; f < dct_field_count && was->has_dct && is->has_dct; f++) {
        const struct dct_field *field = &dct_fields[f];
        bool fits = bytes_are_erased(was->dct + field->offset, field->size);
        for (unsigned i = 0; i < inner->allowed_count && !fits; i++)
            fits = inner->allowed[i].has_dct &&
                   !memcmp(inner->allowed[i].dct + field->offset, is->dct + field->offset, field->size);
        if (!fits && tell)
            fprintf(tell, "setting lost: %s\n", field->name);
        lost |= !fits;
    }
    return lost;
}

static bool differs_in(const struct lfs_differences *diffs, const char *path)
{
    for (size_t i = 0; i < diffs->count; i++) {
        if (diffs->items[i].change != LFS_ADDED && !strcmp(diffs->items[i].path, path))
            return true;
    }
    return false;
}

/* A file that was there and is neither as it was nor as the control run makes it. */
static bool files_lost(const struct sweep_inner *inner, const struct data_view *is, FILE *tell)
{
    struct lfs_differences diffs[DATA_VIEWS] = {{0}};
    struct lfs_fs now, then;
    unsigned made = 0;
    bool lost = false;
    if (!inner->allowed[0].mounted || !is->mounted || mount(is, &now))
        return inner->allowed[0].mounted && !is->mounted;
    for (unsigned i = 0; i < inner->allowed_count; i++) {
        if (inner->allowed[i].mounted && !mount(&inner->allowed[i], &then) &&
            !lfs_files_diff(&then, &now, &diffs[made], NULL))
            made++;
    }
    for (size_t d = 0; made && d < diffs[0].count; d++) {
        const struct lfs_difference *diff = &diffs[0].items[d];
        bool in_all = diff->change != LFS_ADDED && strcmp(diff->path, DCT_PATH) != 0;
        for (unsigned i = 1; i < made && in_all; i++)
            in_all = differs_in(&diffs[i], diff->path);
        char words[200];
        if (in_all && tell) {
            lfs_difference_words(diff, words, sizeof words);
            fprintf(tell, "%s\n", plain_text(words));
        }
        lost |= in_all;
    }
    for (unsigned i = 0; i < made; i++)
        lfs_files_diff_free(&diffs[i]);
    return lost;
}

/* The settings that the control run writes and starts alone do not: are they as after it, or as before it? */
static enum settings_hold settings_hold(const struct sweep_inner *inner, const struct data_view *is)
{
    const struct data_view *was = &inner->allowed[DATA_BEFORE], *new = &inner->allowed[DATA_AFTER],
                           *later = &inner->allowed[DATA_LATER];
    bool any_new = false, any_old = false;
    if (!was->has_dct || !new->has_dct || !later->has_dct || !is->has_dct)
        return SETTINGS_SAME;
    for (size_t f = 0; f < dct_field_count; f++) {
        uint16_t at = dct_fields[f].offset, size = dct_fields[f].size;
        if (!memcmp(new->dct + at, was->dct + at, size) || !memcmp(new->dct + at, later->dct + at, size))
            continue;
        *(memcmp(is->dct + at, new->dct + at, size) ? &any_old : &any_new) = true;
    }
    return any_new && any_old ? SETTINGS_MIXED
           : any_new          ? SETTINGS_NEW
           : any_old          ? SETTINGS_OLD
                              : SETTINGS_SAME;
}

/* What became of the data in a state whose pages are all known. The answer for equal file systems is kept. */
static int data_left(struct sweep_inner *inner, const uint32_t *ids, bool *lost, enum settings_hold *hold,
                     FILE *tell)
{
    struct data_view view;
    int array = flash_view_array(&inner->view, "external");
    *lost = false;
    *hold = SETTINGS_SAME;
    if (array < 0)
        return 0;
    uint64_t digest =
        flash_state_digest(&inner->store, ids + inner->view.first[array], inner->view.pages[array]);
    struct class_cache *cache = &inner->data_cache[digest % CLASS_CACHE];
    if (!tell && cache->known && cache->digest == digest) {
        *lost = cache->answer;
        *hold = cache->settings;
        return 0;
    }
    int err = data_view_make(inner, ids, &view);
    if (!err) {
        bool settings = settings_lost(inner, &view, tell);
        *lost = files_lost(inner, &view, tell) || settings;
        *hold = settings_hold(inner, &view);
    }
    data_view_free(&view);
    *cache = (struct class_cache){digest, !err, *lost, *hold};
    return err;
}

/* --- firmware -------------------------------------------------------------------------------------------
 */

enum slot_holds { HOLDS_SAME, HOLDS_NEW, HOLDS_OLD, HOLDS_OTHER };

/* What a module slot holds, seen from the control run. */
static enum slot_holds slot_holds(const struct sweep_inner *inner, const struct board_slot *slot,
                                  const uint32_t *ids)
{
    const struct nor *flash = &inner->machine.soc.flash;
    bool same = true, is_new = true, is_old = true;
    for (uint32_t page = slot->address / flash->page;
         page < (slot->address + slot->size) / flash->page && page < flash->size / flash->page; page++) {
        same &= inner->initial[page] == inner->final[page];
        is_new &= ids[page] == inner->final[page];
        is_old &= ids[page] == inner->initial[page];
    }
    return same && is_old ? HOLDS_SAME : is_new ? HOLDS_NEW : is_old ? HOLDS_OLD : HOLDS_OTHER;
}

struct slots_hold {
    unsigned new, old, other;
};

static struct slots_hold all_slots(const struct sweep_inner *inner, const uint32_t *ids)
{
    struct slots_hold hold = {0};
    for (size_t i = 0; i < inner->board.images.slot_count; i++) {
        switch (slot_holds(inner, &inner->board.images.slots[i], ids)) {
        case HOLDS_NEW:
            hold.new ++;
            break;
        case HOLDS_OLD:
            hold.old++;
            break;
        case HOLDS_OTHER:
            hold.other++;
            break;
        case HOLDS_SAME:
            break;
        }
    }
    return hold;
}

uint8_t *sweep_internal_flash(const struct sweep_inner *inner, const uint32_t *ids)
{
    const struct nor *flash = &inner->machine.soc.flash;
    uint8_t *bytes = malloc(flash->size);
    for (uint32_t page = 0; bytes && page < flash->size / flash->page; page++)
        memcpy(bytes + page * flash->page, inner->store.bytes[ids[page]], flash->page);
    return bytes;
}

/* Bit n of `valid`: slot n holds a user program whose checksum holds. */
static int valid_programs(const struct sweep_inner *inner, const uint32_t *ids, uint32_t *valid)
{
    const struct nor *flash = &inner->machine.soc.flash;
    const struct board_images *images = &inner->board.images;
    uint8_t *bytes = sweep_internal_flash(inner, ids);
    *valid = 0;
    if (!bytes)
        return ENOMEM;
    for (size_t i = 0; i < images->slot_count && i < 32; i++) {
        struct module_found found;
        if (images->slots[i].function != MODULE_FUNCTION_USER_PART)
            continue;
        module_find_in_flash(bytes, flash->size, &images->slots[i].address, 1, &found);
        if (found.presence == MODULE_PRESENT && found.has_crc && found.crc_good)
            *valid |= 1u << i;
    }
    free(bytes);
    return 0;
}

/* A user program was valid before the control run, and one, here or there, after it; now none is. */
static int safe_mode(struct sweep_inner *inner, const uint32_t *ids, bool *safe)
{
    uint64_t digest = flash_state_digest(&inner->store, ids, inner->view.pages[0]);
    struct class_cache *cache = &inner->user_cache[digest % CLASS_CACHE];
    uint32_t now, before, after;
    if (!cache->known || cache->digest != digest) {
        if (valid_programs(inner, ids, &now) || valid_programs(inner, inner->initial, &before) ||
            valid_programs(inner, inner->final, &after))
            return ENOMEM;
        *cache = (struct class_cache){.digest = digest, .known = true, .answer = before && after && !now};
    }
    *safe = cache->answer;
    return 0;
}

static enum sweep_class class_of_firmware(const struct sweep_inner *inner, const uint32_t *start,
                                          const uint32_t *end)
{
    struct slots_hold before = all_slots(inner, start), now = all_slots(inner, end);
    if (now.other)
        return SWEEP_WRONG;
    if (now.new &&now.old)
        return SWEEP_MIXED;
    if (now.new)
        return before.old || before.other ? SWEEP_RESUMED : SWEEP_NEW;
    return now.old ? SWEEP_OLD : SWEEP_SAME;
}

/* The class of a device that starts in the end. */
static int class_of_start(struct sweep *sweep, const struct point_state *start, const struct point_state *end,
                          unsigned panics, struct sweep_point *point, FILE *tell)
{
    struct sweep_inner *inner = sweep->inner;
    bool safe, lost;
    enum settings_hold hold;
    if (safe_mode(inner, end->ids, &safe) || data_left(inner, end->ids, &lost, &hold, tell))
        return ENOMEM;
    point->class = class_of_firmware(inner, start->ids, end->ids);
    if (point->class == SWEEP_SAME && hold != SETTINGS_SAME)
        point->class = hold == SETTINGS_NEW ? SWEEP_NEW : hold == SETTINGS_OLD ? SWEEP_OLD : SWEEP_MIXED;
    if (safe)
        point->class = SWEEP_SAFE_MODE;
    else if (lost && point->class != SWEEP_WRONG)
        point->class = SWEEP_DATA_LOST;
    else if (panics && point->class != SWEEP_WRONG)
        point->class = SWEEP_SOS_ONCE;
    return 0;
}

int sweep_classify(struct sweep *sweep, const struct point_state *start, struct point_state *end,
                   const struct boot_outcome *last, unsigned panics, struct sweep_point *point, FILE *tell)
{
    /* Pages that no start has looked at are still to be given a number. */
    int err = sweep_make_known(sweep, end);
    if (err)
        return err;
    point->state = flash_state_digest(&sweep->inner->store, end->ids, sweep->inner->view.count);
    if (last->unmet) {
        point->class = SWEEP_UNMET;
        return 0;
    }
    switch (last->end) {
    case BOOT_RUNS:
    case BOOT_LISTENING:
        return class_of_start(sweep, start, end, panics, point, tell);
    case BOOT_SAFE_MODE:
        point->class = SWEEP_SAFE_MODE;
        break;
    case BOOT_DFU:
        point->class = SWEEP_DFU;
        break;
    case BOOT_SOS:
        point->class = SWEEP_SOS;
        break;
    case BOOT_DARK:
        point->class = SWEEP_DARK;
        break;
    case BOOT_LAMP_OFF:
        point->class = SWEEP_LAMP_OFF;
        break;
    case BOOT_RESETTING:
        point->class = SWEEP_RESETS;
        break;
    case BOOT_STUCK:
    case BOOT_UNSETTLED:
        point->class = SWEEP_STUCK;
        break;
    case BOOT_EMULATOR:
        point->class = SWEEP_EMULATOR;
        break;
    }
    return 0;
}
