/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device and its descriptors. */
#include "shim.h"

#include <stdlib.h>
#include <string.h>

#define BUS_NUMBER  1
#define DEV_NUMBER  2
#define PORT_NUMBER 1

/* --- the device -------------------------------------------------------------------------------------------
 */

void device_release(struct libusb_device *device)
{
    if (--device->references)
        return;
    free(device->config);
    free(device);
}

static struct libusb_device *new_device(struct libusb_context *context)
{
    struct libusb_device *device = calloc(1, sizeof *device);
    if (!device)
        return NULL;
    device->context = context;
    device->references = 1;
    if (!wire_descriptors(device->descriptor, &device->config, &device->config_size))
        return device;
    free(device);
    return NULL;
}

static bool same(const struct libusb_device *a, const struct libusb_device *b)
{
    return !memcmp(a->descriptor, b->descriptor, sizeof a->descriptor) && a->config_size == b->config_size &&
           !memcmp(a->config, b->config, a->config_size);
}

struct libusb_device *device_look(struct libusb_context *context)
{
    struct libusb_device *now = new_device(context);
    if (now && context->device && same(now, context->device)) {
        device_release(now);
        now = context->device;
    } else {
        if (context->device)
            device_release(context->device);
        context->device = now;
    }
    if (now)
        now->references++;
    return now;
}

ssize_t libusb_get_device_list(libusb_context *asked, libusb_device ***list)
{
    struct libusb_context *context = shim_context(asked);
    libusb_device **devices = calloc(2, sizeof *devices);
    if (!devices || !context) {
        free(devices);
        return LIBUSB_ERROR_NO_MEM;
    }
    pthread_mutex_lock(&context->lock);
    devices[0] = device_look(context);
    pthread_mutex_unlock(&context->lock);
    *list = devices;
    return devices[0] ? 1 : 0;
}

void libusb_free_device_list(libusb_device **list, int unref)
{
    for (libusb_device **at = list; unref && at && *at; at++)
        libusb_unref_device(*at);
    free(list);
}

libusb_device *libusb_ref_device(libusb_device *device)
{
    pthread_mutex_lock(&device->context->lock);
    device->references++;
    pthread_mutex_unlock(&device->context->lock);
    return device;
}

void libusb_unref_device(libusb_device *device)
{
    if (!device)
        return;
    struct libusb_context *context = device->context;
    pthread_mutex_lock(&context->lock);
    device_release(device);
    pthread_mutex_unlock(&context->lock);
}

uint8_t libusb_get_bus_number(libusb_device *device)
{
    (void)device;
    return BUS_NUMBER;
}

uint8_t libusb_get_port_number(libusb_device *device)
{
    (void)device;
    return PORT_NUMBER;
}

int libusb_get_port_numbers(libusb_device *device, uint8_t *ports, int room)
{
    (void)device;
    if (room < 1)
        return LIBUSB_ERROR_OVERFLOW;
    ports[0] = PORT_NUMBER;
    return 1;
}

int libusb_get_port_path(libusb_context *context, libusb_device *device, uint8_t *path, uint8_t room)
{
    (void)context;
    return libusb_get_port_numbers(device, path, room);
}

libusb_device *libusb_get_parent(libusb_device *device)
{
    (void)device;
    return NULL;
}

uint8_t libusb_get_device_address(libusb_device *device)
{
    (void)device;
    return DEV_NUMBER;
}

int libusb_get_device_speed(libusb_device *device)
{
    (void)device;
    return LIBUSB_SPEED_FULL;
}

/* --- hotplug ----------------------------------------------------------------------------------------------
 */

static bool wants(const struct shim_hotplug *hotplug, const struct libusb_device *device, int event)
{
    const uint8_t *bytes = device->descriptor;
    return !hotplug->done && hotplug->events & event &&
           (hotplug->vendor == LIBUSB_HOTPLUG_MATCH_ANY || hotplug->vendor == (bytes[8] | bytes[9] << 8)) &&
           (hotplug->product == LIBUSB_HOTPLUG_MATCH_ANY ||
            hotplug->product == (bytes[10] | bytes[11] << 8)) &&
           (hotplug->class == LIBUSB_HOTPLUG_MATCH_ANY || hotplug->class == bytes[4]);
}

static void sweep(struct libusb_context *context)
{
    struct shim_hotplug **link = &context->hotplugs;
    while (*link) {
        struct shim_hotplug *at = *link;
        if (at->done) {
            *link = at->next;
            free(at);
        } else {
            link = &at->next;
        }
    }
}

static void tell(struct libusb_context *context, struct libusb_device *device, libusb_hotplug_event event)
{
    for (struct shim_hotplug *at = context->hotplugs; at; at = at->next) {
        if (wants(at, device, (int)event) && at->fn(context, device, event, at->user_data))
            at->done = true;
    }
}

void device_hotplug(struct libusb_context *context)
{
    pthread_mutex_lock(&context->lock);
    context->looked = shim_now();
    struct libusb_device *before = context->device;
    if (before)
        before->references++;
    struct libusb_device *now = device_look(context);
    pthread_mutex_unlock(&context->lock);
    if (before && before != now)
        tell(context, before, LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT);
    if (now && before != now)
        tell(context, now, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED);
    libusb_unref_device(before);
    libusb_unref_device(now);
    pthread_mutex_lock(&context->lock);
    sweep(context);
    pthread_mutex_unlock(&context->lock);
}

int libusb_hotplug_register_callback(libusb_context *asked, int events, int flags, int vendor, int product,
                                     int class, libusb_hotplug_callback_fn fn, void *user_data,
                                     libusb_hotplug_callback_handle *id)
{
    struct libusb_context *context = shim_context(asked);
    struct shim_hotplug *hotplug = calloc(1, sizeof *hotplug);
    if (!hotplug || !context) {
        free(hotplug);
        return LIBUSB_ERROR_NO_MEM;
    }
    pthread_mutex_lock(&context->lock);
    *hotplug = (struct shim_hotplug){.next = context->hotplugs,
                                     .id = ++context->next_hotplug,
                                     .events = events,
                                     .vendor = vendor,
                                     .product = product,
                                     .class = class,
                                     .fn = fn,
                                     .user_data = user_data};
    context->hotplugs = hotplug;
    struct libusb_device *device = device_look(context);
    context->looked = shim_now();
    pthread_mutex_unlock(&context->lock);
    if (id)
        *id = hotplug->id;
    if (device && flags & LIBUSB_HOTPLUG_ENUMERATE &&
        wants(hotplug, device, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED) &&
        fn(context, device, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED, user_data))
        hotplug->done = true;
    libusb_unref_device(device);
    events_wake(context);
    return 0;
}

static struct shim_hotplug *find_hotplug(struct libusb_context *context, libusb_hotplug_callback_handle id)
{
    struct shim_hotplug *at = context ? context->hotplugs : NULL;
    while (at && at->id != id)
        at = at->next;
    return at;
}

void libusb_hotplug_deregister_callback(libusb_context *asked, libusb_hotplug_callback_handle id)
{
    struct libusb_context *context = shim_context(asked);
    struct shim_hotplug *hotplug = find_hotplug(context, id);
    if (!hotplug)
        return;
    hotplug->done = true; /* it may be one that is being told: freed at the next look */
    events_wake(context);
}

void *libusb_hotplug_get_user_data(libusb_context *asked, libusb_hotplug_callback_handle id)
{
    struct shim_hotplug *hotplug = find_hotplug(shim_context(asked), id);
    return hotplug ? hotplug->user_data : NULL;
}

/* --- descriptors ------------------------------------------------------------------------------------------
 */

static uint16_t word_at(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

int libusb_get_device_descriptor(libusb_device *device, struct libusb_device_descriptor *out)
{
    const uint8_t *bytes = device->descriptor;
    *out = (struct libusb_device_descriptor){.bLength = bytes[0],
                                             .bDescriptorType = bytes[1],
                                             .bcdUSB = word_at(bytes + 2),
                                             .bDeviceClass = bytes[4],
                                             .bDeviceSubClass = bytes[5],
                                             .bDeviceProtocol = bytes[6],
                                             .bMaxPacketSize0 = bytes[7],
                                             .idVendor = word_at(bytes + 8),
                                             .idProduct = word_at(bytes + 10),
                                             .bcdDevice = word_at(bytes + 12),
                                             .iManufacturer = bytes[14],
                                             .iProduct = bytes[15],
                                             .iSerialNumber = bytes[16],
                                             .bNumConfigurations = bytes[17]};
    return 0;
}

/* Appends bytes to an `extra` member. */
static int add_extra(const unsigned char **extra, int *length, const uint8_t *bytes, size_t size)
{
    unsigned char *more = realloc((void *)*extra, (size_t)*length + size);
    if (!more)
        return LIBUSB_ERROR_NO_MEM;
    memcpy(more + *length, bytes, size);
    *extra = more;
    *length += (int)size;
    return 0;
}

static void *grow(const void *array, size_t count, size_t size)
{
    char *more = realloc((void *)array, (count + 1) * size);
    if (more)
        memset(more + count * size, 0, size);
    return more;
}

static struct libusb_interface *interface_numbered(struct libusb_config_descriptor *config, unsigned number)
{
    struct libusb_interface *list = (struct libusb_interface *)config->interface;
    for (unsigned i = 0; i < config->bNumInterfaces; i++) {
        if (list[i].num_altsetting && list[i].altsetting[0].bInterfaceNumber == number)
            return &list[i];
    }
    list = grow(config->interface, config->bNumInterfaces, sizeof *list);
    if (!list)
        return NULL;
    config->interface = list;
    return &list[config->bNumInterfaces++];
}

static struct libusb_interface_descriptor *add_setting(struct libusb_config_descriptor *config,
                                                       const uint8_t *bytes)
{
    struct libusb_interface *interface = interface_numbered(config, bytes[2]);
    if (!interface)
        return NULL;
    struct libusb_interface_descriptor *list =
        grow(interface->altsetting, (size_t)interface->num_altsetting, sizeof *list);
    if (!list)
        return NULL;
    interface->altsetting = list;
    list += interface->num_altsetting++;
    *list = (struct libusb_interface_descriptor){.bLength = bytes[0],
                                                 .bDescriptorType = bytes[1],
                                                 .bInterfaceNumber = bytes[2],
                                                 .bAlternateSetting = bytes[3],
                                                 .bInterfaceClass = bytes[5],
                                                 .bInterfaceSubClass = bytes[6],
                                                 .bInterfaceProtocol = bytes[7],
                                                 .iInterface = bytes[8]};
    return list;
}

static struct libusb_endpoint_descriptor *add_endpoint(struct libusb_interface_descriptor *setting,
                                                       const uint8_t *bytes)
{
    struct libusb_endpoint_descriptor *list = grow(setting->endpoint, setting->bNumEndpoints, sizeof *list);
    if (!list)
        return NULL;
    setting->endpoint = list;
    list += setting->bNumEndpoints++;
    list->bLength = bytes[0];
    list->bDescriptorType = bytes[1];
    list->bEndpointAddress = bytes[2];
    list->bmAttributes = bytes[3];
    list->wMaxPacketSize = word_at(bytes + 4);
    list->bInterval = bytes[6];
    return list;
}

/* What follows an interface or endpoint and is neither belongs to its `extra`. */
static int parse(struct libusb_config_descriptor *config, const uint8_t *bytes, size_t size)
{
    struct libusb_interface_descriptor *setting = NULL;
    struct libusb_endpoint_descriptor *endpoint = NULL;
    const uint8_t *at = bytes + bytes[0], *end = bytes + size;
    int error = 0;
    for (; !error && end - at >= 2 && at[0] >= 2 && at[0] <= end - at; at += at[0]) {
        if (at[1] == LIBUSB_DT_INTERFACE && at[0] >= 9) {
            setting = add_setting(config, at);
            endpoint = NULL;
            error = setting ? 0 : LIBUSB_ERROR_NO_MEM;
        } else if (at[1] == LIBUSB_DT_ENDPOINT && at[0] >= 7 && setting) {
            endpoint = add_endpoint(setting, at);
            error = endpoint ? 0 : LIBUSB_ERROR_NO_MEM;
        } else if (endpoint) {
            error = add_extra(&endpoint->extra, &endpoint->extra_length, at, at[0]);
        } else if (setting) {
            error = add_extra(&setting->extra, &setting->extra_length, at, at[0]);
        } else {
            error = add_extra(&config->extra, &config->extra_length, at, at[0]);
        }
    }
    return error;
}

int libusb_get_config_descriptor(libusb_device *device, uint8_t index, struct libusb_config_descriptor **out)
{
    const uint8_t *bytes = device->config;
    if (index)
        return LIBUSB_ERROR_NOT_FOUND;
    struct libusb_config_descriptor *config = calloc(1, sizeof *config);
    if (!config)
        return LIBUSB_ERROR_NO_MEM;
    config->bLength = bytes[0];
    config->bDescriptorType = bytes[1];
    config->wTotalLength = word_at(bytes + 2);
    config->bConfigurationValue = bytes[5];
    config->iConfiguration = bytes[6];
    config->bmAttributes = bytes[7];
    config->MaxPower = bytes[8];
    int error = bytes[0] >= 9 && bytes[0] <= device->config_size ? parse(config, bytes, device->config_size)
                                                                 : LIBUSB_ERROR_IO;
    if (error)
        libusb_free_config_descriptor(config);
    else
        *out = config;
    return error;
}

int libusb_get_active_config_descriptor(libusb_device *device, struct libusb_config_descriptor **config)
{
    return libusb_get_config_descriptor(device, 0, config);
}

int libusb_get_config_descriptor_by_value(libusb_device *device, uint8_t value,
                                          struct libusb_config_descriptor **config)
{
    return value == device->config[5] ? libusb_get_config_descriptor(device, 0, config)
                                      : LIBUSB_ERROR_NOT_FOUND;
}

static void free_setting(const struct libusb_interface_descriptor *setting)
{
    for (unsigned e = 0; e < setting->bNumEndpoints; e++)
        free((void *)setting->endpoint[e].extra);
    free((void *)setting->endpoint);
    free((void *)setting->extra);
}

void libusb_free_config_descriptor(struct libusb_config_descriptor *config)
{
    if (!config)
        return;
    for (unsigned i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *interface = &config->interface[i];
        for (int a = 0; a < interface->num_altsetting; a++)
            free_setting(&interface->altsetting[a]);
        free((void *)interface->altsetting);
    }
    free((void *)config->interface);
    free((void *)config->extra);
    free(config);
}

int libusb_get_max_packet_size(libusb_device *device, unsigned char endpoint)
{
    const uint8_t *at = device->config, *end = at + device->config_size;
    for (; end - at >= 2 && at[0] >= 2 && at[0] <= end - at; at += at[0]) {
        if (at[1] == LIBUSB_DT_ENDPOINT && at[0] >= 7 && at[2] == endpoint)
            return word_at(at + 4);
    }
    return LIBUSB_ERROR_NOT_FOUND;
}

int libusb_get_max_iso_packet_size(libusb_device *device, unsigned char endpoint)
{
    return libusb_get_max_packet_size(device, endpoint);
}

int libusb_get_ss_endpoint_companion_descriptor(libusb_context *context,
                                                const struct libusb_endpoint_descriptor *endpoint,
                                                struct libusb_ss_endpoint_companion_descriptor **companion)
{
    (void)context;
    (void)endpoint;
    (void)companion;
    return LIBUSB_ERROR_NOT_FOUND;
}

void libusb_free_ss_endpoint_companion_descriptor(struct libusb_ss_endpoint_companion_descriptor *companion)
{
    (void)companion;
}

int libusb_get_bos_descriptor(libusb_device_handle *handle, struct libusb_bos_descriptor **bos)
{
    (void)handle;
    (void)bos;
    return LIBUSB_ERROR_PIPE; /* as a USB 2.0 device that stalls the request */
}

void libusb_free_bos_descriptor(struct libusb_bos_descriptor *bos)
{
    (void)bos;
}
