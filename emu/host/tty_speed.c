/* SPDX-License-Identifier: GPL-2.0-or-later */
/* By itself, because the kernel's header, which alone knows of any speed there is, and <termios.h> exclude
 * each other. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <stdint.h>

int ioctl(int fd, unsigned long request, ...);
uint32_t tty_speed(int fd);

uint32_t tty_speed(int fd)
{
    struct termios2 settings;
    return ioctl(fd, TCGETS2, &settings) ? 0 : settings.c_ospeed;
}
