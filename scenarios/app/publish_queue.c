/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A queue of readings in a file, as programs keep one for the hours without a connection: readings are
 * appended, and when there is a connection again the newest are sent first, as many as one event of 622 bytes
 * takes, and then cut off the end of the file.
 *
 * Every call is one that POSIX and Device OS allow, and each is checked. 900 readings of 32 bytes are ten
 * hours at 40 s. The seventh event leaves 767 of them, 24544 bytes: exactly as much as six blocks of LittleFS
 * hold.
 */
#include "device_os.h"

#define QUEUE      "/usr/queue.csv"
#define READING    32u /* bytes, with the line's end */
#define BACKLOG    900u
#define AT_ONCE    20u         /* readings, between two writes */
#define EVENT      19u         /* readings: 608 bytes */
#define FIRST_TIME 1614556800u /* 1 March 2021 */
#define EVERY_S    40u
#define LOOP_MS    50u
#define SEND_MS    1000u /* one event a second is allowed */

static struct {
    unsigned taken; /* readings in the queue */
    bool sending;   /* there is a connection */
    bool failed;
} queue;

static void put_number(char *at, unsigned width, unsigned value)
{
    while (width--) {
        at[width] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* number, time, temperature, battery, sent: "000417,1614573480,21.37,3.921,0\n" */
static void take_reading(char line[READING], unsigned number)
{
    static const char form[] = "000000,0000000000,20.00,3.900,0\n";
    for (unsigned i = 0; i < READING; i++)
        line[i] = form[i];
    put_number(line, 6, number);
    put_number(line + 7, 10, FIRST_TIME + number * EVERY_S);
    put_number(line + 21, 2, number * 37 % 100);
    put_number(line + 26, 3, 900 + number * 7 % 100);
}

static bool append_readings(void)
{
    char lines[AT_ONCE * READING];
    int fd = open(QUEUE, O_CREAT | O_WRONLY | O_APPEND);
    if (fd < 0)
        return false;
    for (unsigned i = 0; i < AT_ONCE; i++)
        take_reading(lines + i * READING, queue.taken + i);
    bool good = write(fd, lines, sizeof lines) == (int)sizeof lines;
    good = close(fd) == 0 && good;
    queue.taken += AT_ONCE;
    return good;
}

static bool send_newest(void)
{
    char event[EVENT * READING];
    int fd = open(QUEUE, O_RDWR);
    if (fd < 0)
        return false;
    long rest = lseek(fd, -(long)sizeof event, SEEK_END);
    bool good = rest >= 0 && read(fd, event, sizeof event) == (int)sizeof event;
    /* Here Particle.publish() would be: the event is on its way. */
    good = good && ftruncate(fd, rest) == 0;
    good = close(fd) == 0 && good;
    queue.taken -= EVENT;
    return good;
}

/* What is in the queue from before is sent first. */
void setup(void)
{
    int fd = open(QUEUE, O_RDONLY);
    if (fd < 0)
        return;
    long size = lseek(fd, 0, SEEK_END);
    queue.failed = size < 0;
    queue.taken = (unsigned)size / READING;
    queue.sending = true;
    queue.failed = close(fd) != 0 || queue.failed;
}

void loop(void)
{
    delay_ms(queue.sending ? SEND_MS : LOOP_MS);
    if (queue.failed)
        return;
    if (!queue.sending)
        queue.failed = !append_readings();
    else if (queue.taken >= EVENT)
        queue.failed = !send_newest();
    queue.sending = queue.sending || queue.taken >= BACKLOG;
}
