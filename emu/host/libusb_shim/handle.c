/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening the device, and what is done with it as a whole. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUSY_TRIES      100
#define BUSY_PAUSE_MS   100
#define REQUEST_TIMEOUT 5000

static int open_when_free(int *fd)
{
    int error = wire_open(fd);
    for (int i = 0; error == LIBUSB_ERROR_BUSY && i < BUSY_TRIES; i++) {
        struct timespec pause = {.tv_nsec = BUSY_PAUSE_MS * 1000000l};
        nanosleep(&pause, NULL);
        error = wire_open(fd);
    }
    return error;
}

int libusb_open(libusb_device *device, libusb_device_handle **out)
{
    struct libusb_context *context = device->context;
    struct libusb_device_handle *handle = calloc(1, sizeof *handle);
    if (!handle)
        return LIBUSB_ERROR_NO_MEM;
    int error = open_when_free(&handle->fd);
    if (error) {
        free(handle);
        return error;
    }
    pthread_mutex_lock(&context->lock);
    device->references++;
    handle->device = device;
    handle->next = context->handles;
    context->handles = handle;
    pthread_mutex_unlock(&context->lock);
    events_wake(context);
    *out = handle;
    return 0;
}

libusb_device_handle *libusb_open_device_with_vid_pid(libusb_context *asked, uint16_t vendor,
                                                      uint16_t product)
{
    struct libusb_context *context = shim_context(asked);
    libusb_device_handle *handle = NULL;
    struct libusb_device_descriptor descriptor;
    pthread_mutex_lock(&context->lock);
    struct libusb_device *device = device_look(context);
    pthread_mutex_unlock(&context->lock);
    if (!device)
        return NULL;
    libusb_get_device_descriptor(device, &descriptor);
    if (descriptor.idVendor != vendor || descriptor.idProduct != product || libusb_open(device, &handle))
        handle = NULL;
    libusb_unref_device(device);
    return handle;
}

void libusb_close(libusb_device_handle *handle)
{
    if (!handle)
        return;
    struct libusb_context *context = handle->device->context;
    pthread_mutex_lock(&context->lock);
    struct libusb_device_handle **link = &context->handles;
    while (*link && *link != handle)
        link = &(*link)->next;
    if (*link)
        *link = handle->next;
    /* Their callbacks must not look at a handle that is no more. */
    while (handle->pending) {
        handle->pending->pending = false;
        handle->pending->handle = NULL;
        handle->pending = handle->pending->next;
    }
    if (handle->fd >= 0)
        close(handle->fd);
    device_release(handle->device);
    pthread_mutex_unlock(&context->lock);
    free(handle->in);
    free(handle);
}

libusb_device *libusb_get_device(libusb_device_handle *handle)
{
    return handle->device;
}

int libusb_wrap_sys_device(libusb_context *context, intptr_t system, libusb_device_handle **handle)
{
    (void)context;
    (void)system;
    (void)handle;
    return LIBUSB_ERROR_NOT_SUPPORTED;
}

int libusb_get_configuration(libusb_device_handle *handle, int *value)
{
    *value = handle->device->config[5];
    return handle->fd < 0 ? LIBUSB_ERROR_NO_DEVICE : 0;
}

int libusb_set_configuration(libusb_device_handle *handle, int value)
{
    if (handle->fd < 0)
        return LIBUSB_ERROR_NO_DEVICE;
    return value == handle->device->config[5] ? 0 : LIBUSB_ERROR_NOT_FOUND;
}

int libusb_claim_interface(libusb_device_handle *handle, int interface)
{
    if (interface < 0 || interface >= SHIM_INTERFACES)
        return LIBUSB_ERROR_NOT_FOUND;
    return handle->fd < 0 ? LIBUSB_ERROR_NO_DEVICE : 0;
}

int libusb_set_interface_alt_setting(libusb_device_handle *handle, int interface, int setting)
{
    if (interface < 0 || interface >= SHIM_INTERFACES || setting < 0 || setting > 255)
        return LIBUSB_ERROR_NOT_FOUND;
    int result = libusb_control_transfer(handle, LIBUSB_RECIPIENT_INTERFACE, LIBUSB_REQUEST_SET_INTERFACE,
                                         (uint16_t)setting, (uint16_t)interface, NULL, 0, REQUEST_TIMEOUT);
    if (!result)
        handle->setting[interface] = (uint8_t)setting;
    return result;
}

/* Linux puts an interface that is released back to altsetting 0. */
int libusb_release_interface(libusb_device_handle *handle, int interface)
{
    if (interface < 0 || interface >= SHIM_INTERFACES)
        return LIBUSB_ERROR_NOT_FOUND;
    if (handle->fd < 0)
        return LIBUSB_ERROR_NO_DEVICE;
    if (handle->setting[interface])
        libusb_set_interface_alt_setting(handle, interface, 0);
    return 0;
}

int libusb_clear_halt(libusb_device_handle *handle, unsigned char endpoint)
{
    return libusb_control_transfer(handle, LIBUSB_RECIPIENT_ENDPOINT, LIBUSB_REQUEST_CLEAR_FEATURE, 0,
                                   endpoint, NULL, 0, REQUEST_TIMEOUT);
}

int libusb_reset_device(libusb_device_handle *handle)
{
    return handle->fd < 0 ? LIBUSB_ERROR_NO_DEVICE : 0;
}

int libusb_kernel_driver_active(libusb_device_handle *handle, int interface)
{
    (void)interface;
    return handle->fd < 0 ? LIBUSB_ERROR_NO_DEVICE : 0;
}

int libusb_detach_kernel_driver(libusb_device_handle *handle, int interface)
{
    (void)handle;
    (void)interface;
    return LIBUSB_ERROR_NOT_FOUND;
}

int libusb_attach_kernel_driver(libusb_device_handle *handle, int interface)
{
    (void)handle;
    (void)interface;
    return LIBUSB_ERROR_NOT_FOUND;
}

int libusb_set_auto_detach_kernel_driver(libusb_device_handle *handle, int enable)
{
    (void)handle;
    (void)enable;
    return 0;
}

int libusb_get_string_descriptor_ascii(libusb_device_handle *handle, uint8_t index, unsigned char *text,
                                       int size)
{
    uint8_t bytes[255] = {0};
    if (!index || size < 1)
        return LIBUSB_ERROR_INVALID_PARAM;
    int got = libusb_get_string_descriptor(handle, 0, 0, bytes, sizeof bytes);
    if (got < 4)
        return got < 0 ? got : LIBUSB_ERROR_IO;
    uint16_t language = (uint16_t)(bytes[2] | bytes[3] << 8);
    got = libusb_get_string_descriptor(handle, index, language, bytes, sizeof bytes);
    if (got < 2 || bytes[1] != LIBUSB_DT_STRING)
        return got < 0 ? got : LIBUSB_ERROR_IO;
    int length = 0, end = bytes[0] < got ? bytes[0] : got;
    for (int i = 2; i + 1 < end && length < size - 1; i += 2)
        text[length++] = bytes[i] > 0x7f || bytes[i + 1] ? '?' : bytes[i];
    text[length] = 0;
    return length;
}
