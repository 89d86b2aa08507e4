/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue with a header at the beginning of its file. When all events are sent, the file is cut to the
 * header, and the header is written anew, through the same handle: the way of a queue library of 2021, in our
 * words.
 */
#include "device_os.h"

#define QUEUE   "/usr/events.dat"
#define EVENTS  48u
#define MAGIC   0x31555145u
#define LOOP_MS 100u
#define SENT    20u /* loops */

struct header {
    uint32_t magic, version, first, count;
};

struct event {
    char text[104];
};

static int handle;
static unsigned loops;

static bool write_header(uint32_t count)
{
    struct header header = {.magic = MAGIC, .version = 1, .count = count};
    return lseek(handle, 0, SEEK_SET) == 0 && write(handle, &header, sizeof header) == (int)sizeof header;
}

static bool keep_events(void)
{
    struct event event;
    for (unsigned i = 0; i < sizeof event.text; i++)
        event.text[i] = (char)('a' + i % 26);
    for (unsigned i = 0; i < EVENTS; i++) {
        if (write(handle, &event, sizeof event) != (int)sizeof event)
            return false;
    }
    return true;
}

void setup(void)
{
    handle = open(QUEUE, O_CREAT | O_RDWR);
    if (handle >= 0 && write_header(EVENTS))
        keep_events();
}

void loop(void)
{
    delay_ms(LOOP_MS);
    if (handle < 0 || ++loops != SENT)
        return;
    if (ftruncate(handle, sizeof(struct header)) == 0 && write_header(0))
        fsync(handle);
}
