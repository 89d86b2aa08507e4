/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Actions and triggers of the USB plug. */
#include "host/particle_usb.h"
#include "scenario/parse.h"

#include <stdlib.h>
#include <string.h>

#define SKIP_MAX 4096u

int parse_usb_moment(const struct reader *r, const cJSON *item, struct trigger *out)
{
    static const char *const words[] = {"configured", "left", "done", NULL};
    unsigned moment = 0;
    if (read_choice(r, item, words, &moment))
        return -1;
    out->usb = (enum usb_moment)moment;
    return 0;
}

static int usb_plug(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    return read_flag(r, item, &out->plug);
}

static int read_place(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    if (!member(item, "alt"))
        return missing(r, item, "alt");
    if (!member(item, "address"))
        return missing(r, item, "address");
    return read_u32(r, member(item, "alt"), 0, 255, &out->alt) ||
                   read_u32(r, member(item, "address"), 0, UINT32_MAX, &out->address) ||
                   read_text(r, member(item, "fails"), &out->fails)
               ? -1
               : 0;
}

static int usb_download(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    static const char *const members[] = {"alt",    "address", "hex",   "text",  "fill", "length",
                                          "module", "skip",    "leave", "fails", NULL};
    const cJSON *module = member(item, "module");
    out->has_module = module != NULL;
    if (read_members(r, item, members) || read_place(r, item, out) ||
        read_content(r, item, "length", !module, &out->content) ||
        read_u32(r, member(item, "skip"), 0, SKIP_MAX, &out->skip) ||
        read_flag(r, member(item, "leave"), &out->leave))
        return -1;
    if (!module)
        return member(item, "skip")
                   ? json_doc_error(r->doc, member(item, "skip"), r->why, "\"skip\" is for a \"module\"")
                   : 0;
    if (out->content.bytes)
        return json_doc_error(r->doc, item, r->why, "give bytes or a \"module\", not both");
    if (parse_module(r, module, &out->module))
        return -1;
    return out->module.published && !out->module.kind
               ? json_doc_error(r->doc, module, r->why, "one module: its \"kind\" is missing")
               : 0;
}

static int usb_upload(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    static const char *const members[] = {"alt", "address", "hex", "text", "fill", "length", "fails", NULL};
    return read_members(r, item, members) || read_place(r, item, out) ||
                   read_content(r, item, "length", true, &out->content)
               ? -1
               : 0;
}

static int usb_control(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    static const char *const members[] = {"type", "request", "value",  "index",  "wlength", "hex",
                                          "text", "fill",    "length", "answer", "fails",   NULL};
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "type"))
        return missing(r, item, "type");
    if (!member(item, "request"))
        return missing(r, item, "request");
    if (read_u32(r, member(item, "type"), 0, 255, &out->type) ||
        read_u32(r, member(item, "request"), 0, 255, &out->request) ||
        read_u32(r, member(item, "value"), 0, 65535, &out->value) ||
        read_u32(r, member(item, "index"), 0, 65535, &out->index) ||
        read_u32(r, member(item, "wlength"), 0, 65535, &out->length) ||
        read_content(r, item, "length", false, &out->content) ||
        read_text(r, member(item, "fails"), &out->fails))
        return -1;
    out->has_answer = member(item, "answer") != NULL;
    if (out->has_answer && read_hex(r, member(item, "answer"), &out->answer))
        return -1;
    bool reads = out->type & 0x80;
    if (reads ? out->content.bytes != NULL : out->has_answer || member(item, "wlength"))
        return json_doc_error(r->doc, item, r->why,
                              "a request of type 0x80 and above has \"wlength\" and perhaps an \"answer\", "
                              "others have bytes to send");
    if (out->content.length > 65535)
        return json_doc_error(r->doc, item, r->why, "a request carries at most 65535 bytes");
    return 0;
}

static int read_answer(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    out->has_answer = member(item, "answer") != NULL;
    return out->has_answer ? read_hex(r, member(item, "answer"), &out->answer) : 0;
}

static int usb_request(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    static const char *const members[] = {"number", "hex", "text", "fill", "length", "answer", "fails", NULL};
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "number"))
        return missing(r, item, "number");
    if (read_u32(r, member(item, "number"), 1, 65535, &out->request) ||
        read_content(r, item, "length", false, &out->content) || read_answer(r, item, out) ||
        read_text(r, member(item, "fails"), &out->fails))
        return -1;
    return out->content.length > PARTICLE_PAYLOAD_MAX
               ? json_doc_error(r->doc, item, r->why, "a request carries at most %u bytes",
                                PARTICLE_PAYLOAD_MAX)
               : 0;
}

static int usb_update(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    static const char *const members[] = {"module", "fails", NULL};
    if (read_members(r, item, members))
        return -1;
    if (!member(item, "module"))
        return missing(r, item, "module");
    out->has_module = true;
    if (parse_module(r, member(item, "module"), &out->module) ||
        read_text(r, member(item, "fails"), &out->fails))
        return -1;
    return out->module.published && !out->module.kind
               ? json_doc_error(r->doc, item, r->why, "one module: its \"kind\" is missing")
               : 0;
}

static int usb_serial(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    static const char *const members[] = {"hex",  "text",      "fill",  "length",
                                          "wait", "within_ms", "fails", NULL};
    out->within_ms = 5000;
    return read_members(r, item, members) || read_content(r, item, "length", false, &out->content) ||
                   read_text(r, member(item, "wait"), &out->wanted) ||
                   read_double(r, member(item, "within_ms"), 0, 1e9, &out->within_ms) ||
                   read_text(r, member(item, "fails"), &out->fails)
               ? -1
               : 0;
}

static const struct {
    const char *name;
    enum usb_act act;
    int (*parse)(const struct reader *r, const cJSON *item, struct usb_action *out);
} acts[] = {
    {"plug", USB_PLUG, usb_plug},          {"download", USB_DOWNLOAD, usb_download},
    {"upload", USB_UPLOAD, usb_upload},    {"control", USB_CONTROL, usb_control},
    {"request", USB_REQUEST, usb_request}, {"update", USB_UPDATE, usb_update},
    {"ymodem", USB_YMODEM, usb_update},    {"serial", USB_SERIAL, usb_serial},
};

int parse_usb(const struct reader *r, const cJSON *item, struct usb_action *out)
{
    size_t which;
    out->at = item;
    if (read_one_of(r, item, acts, sizeof acts[0], sizeof acts / sizeof acts[0], &which))
        return -1;
    out->act = acts[which].act;
    return acts[which].parse(r, item->child, out);
}

void free_usb(struct usb_action *action)
{
    free(action->content.bytes);
    free(action->answer.bytes);
}
