/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shim.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* libusb's own interface has a default context (a NULL argument), so there must be one place for it. */
static pthread_mutex_t default_lock = PTHREAD_MUTEX_INITIALIZER;
static struct libusb_context *default_context;

int64_t shim_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct libusb_context *new_context(void)
{
    struct libusb_context *context = calloc(1, sizeof *context);
    if (!context)
        return NULL;
    if (pipe(context->wake)) {
        free(context);
        return NULL;
    }
    for (int i = 0; i < 2; i++) {
        fcntl(context->wake[i], F_SETFL, O_NONBLOCK);
        fcntl(context->wake[i], F_SETFD, FD_CLOEXEC);
    }
    pthread_mutex_init(&context->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&context->handled, &attributes);
    pthread_condattr_destroy(&attributes);
    context->references = 1;
    return context;
}

static void free_context(struct libusb_context *context)
{
    while (context->handles)
        libusb_close(context->handles);
    while (context->hotplugs) {
        struct shim_hotplug *next = context->hotplugs->next;
        free(context->hotplugs);
        context->hotplugs = next;
    }
    if (context->device)
        device_release(context->device);
    close(context->wake[0]);
    close(context->wake[1]);
    pthread_cond_destroy(&context->handled);
    pthread_mutex_destroy(&context->lock);
    free(context);
}

struct libusb_context *shim_context(struct libusb_context *context)
{
    return context ? context : default_context;
}

int libusb_init(libusb_context **out)
{
    int error = 0;
    if (out) {
        *out = new_context();
        return *out ? 0 : LIBUSB_ERROR_NO_MEM;
    }
    pthread_mutex_lock(&default_lock);
    if (default_context)
        default_context->references++;
    else
        default_context = new_context();
    if (!default_context)
        error = LIBUSB_ERROR_NO_MEM;
    pthread_mutex_unlock(&default_lock);
    return error;
}

void libusb_exit(libusb_context *context)
{
    if (context) {
        free_context(context);
        return;
    }
    pthread_mutex_lock(&default_lock);
    context = default_context;
    if (context && --context->references == 0)
        default_context = NULL;
    else
        context = NULL;
    pthread_mutex_unlock(&default_lock);
    if (context)
        free_context(context);
}

void libusb_set_debug(libusb_context *context, int level)
{
    (void)context;
    (void)level;
}

int libusb_set_option(libusb_context *context, enum libusb_option option, ...)
{
    (void)context;
    return option == LIBUSB_OPTION_LOG_LEVEL ? LIBUSB_SUCCESS : LIBUSB_ERROR_NOT_SUPPORTED;
}

void libusb_set_log_cb(libusb_context *context, libusb_log_cb callback, int mode)
{
    (void)context;
    (void)callback;
    (void)mode;
}

const struct libusb_version *libusb_get_version(void)
{
    static const struct libusb_version version = {1, 0, 26, 11724, "", "sosim"};
    return &version;
}

int libusb_has_capability(uint32_t capability)
{
    return capability == LIBUSB_CAP_HAS_CAPABILITY || capability == LIBUSB_CAP_HAS_HOTPLUG;
}

static const struct {
    int code;
    const char *name, *text;
} errors[] = {
    {LIBUSB_SUCCESS, "LIBUSB_SUCCESS / LIBUSB_TRANSFER_COMPLETED", "Success"},
    {LIBUSB_ERROR_IO, "LIBUSB_ERROR_IO", "Input/Output Error"},
    {LIBUSB_ERROR_INVALID_PARAM, "LIBUSB_ERROR_INVALID_PARAM", "Invalid parameter"},
    {LIBUSB_ERROR_ACCESS, "LIBUSB_ERROR_ACCESS", "Access denied (insufficient permissions)"},
    {LIBUSB_ERROR_NO_DEVICE, "LIBUSB_ERROR_NO_DEVICE", "No such device (it may have been disconnected)"},
    {LIBUSB_ERROR_NOT_FOUND, "LIBUSB_ERROR_NOT_FOUND", "Entity not found"},
    {LIBUSB_ERROR_BUSY, "LIBUSB_ERROR_BUSY", "Resource busy"},
    {LIBUSB_ERROR_TIMEOUT, "LIBUSB_ERROR_TIMEOUT", "Operation timed out"},
    {LIBUSB_ERROR_OVERFLOW, "LIBUSB_ERROR_OVERFLOW", "Overflow"},
    {LIBUSB_ERROR_PIPE, "LIBUSB_ERROR_PIPE", "Pipe error"},
    {LIBUSB_ERROR_INTERRUPTED, "LIBUSB_ERROR_INTERRUPTED", "System call interrupted (perhaps due to signal)"},
    {LIBUSB_ERROR_NO_MEM, "LIBUSB_ERROR_NO_MEM", "Insufficient memory"},
    {LIBUSB_ERROR_NOT_SUPPORTED, "LIBUSB_ERROR_NOT_SUPPORTED",
     "Operation not supported or unimplemented on this platform"},
    {LIBUSB_ERROR_OTHER, "LIBUSB_ERROR_OTHER", "Other error"},
    /* Programs also ask for the names of a transfer's status. */
    {LIBUSB_TRANSFER_ERROR, "LIBUSB_TRANSFER_ERROR", "Transfer error"},
    {LIBUSB_TRANSFER_TIMED_OUT, "LIBUSB_TRANSFER_TIMED_OUT", "Transfer timed out"},
    {LIBUSB_TRANSFER_CANCELLED, "LIBUSB_TRANSFER_CANCELLED", "Transfer cancelled"},
    {LIBUSB_TRANSFER_STALL, "LIBUSB_TRANSFER_STALL", "Transfer stalled"},
    {LIBUSB_TRANSFER_NO_DEVICE, "LIBUSB_TRANSFER_NO_DEVICE", "Transfer to no device"},
    {LIBUSB_TRANSFER_OVERFLOW, "LIBUSB_TRANSFER_OVERFLOW", "Transfer overflow"},
};

const char *libusb_error_name(int code)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].code == code)
            return errors[i].name;
    }
    return "**UNKNOWN**";
}

const char *libusb_strerror(int code)
{
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        if (errors[i].code == code)
            return errors[i].text;
    }
    return "Other error";
}

int libusb_setlocale(const char *locale)
{
    return locale ? LIBUSB_SUCCESS : LIBUSB_ERROR_INVALID_PARAM;
}
