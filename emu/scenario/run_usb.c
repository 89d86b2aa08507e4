/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scenario's own USB host. */
#include "scenario/run_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REQUEST_TIMEOUT (5000 * CYCLES_PER_MS)
#define TEXT_SIZE       256

static bool needs_host(const struct runner *run)
{
    const struct scenario *scenario = run->scenario;
    bool needed = run->options->companion != NULL || scenario->until.kind == TRIGGER_USB;
    for (size_t i = 0; i < scenario->step_count && !needed; i++) {
        const struct step *step = &scenario->steps[i];
        needed = step->when.kind == TRIGGER_USB;
        for (size_t a = 0; a < step->action_count; a++)
            needed |= step->actions[a].kind == ACTION_USB;
    }
    return needed;
}

/* Triggers are looked at between slices of time: let one end. */
static void look_now(void *context, bool configured)
{
    (void)configured;
    machine_stop(context);
}

void run_usb_begin(struct runner *run)
{
    run->usb_on = needs_host(run);
    if (!run->usb_on)
        return;
    usb_host_init(&run->usb, &run->machine.bus);
    run->usb.changed = look_now;
    run->usb.changed_context = &run->machine;
}

void run_usb_end(struct runner *run)
{
    if (run->usb_on) {
        run->usb.changed = NULL;
        usb_host_leave(&run->usb);
    }
    free(run->usb_task.data);
    run->usb_task.data = NULL;
}

bool run_usb_has_come(const struct runner *run, enum usb_moment moment)
{
    switch (moment) {
    case USB_CONFIGURED:
        return run->usb.state == USB_HOST_CONFIGURED;
    case USB_LEFT:
        return run->usb.state != USB_HOST_CONFIGURED;
    case USB_DONE:
        return !run->usb_task.under_way;
    }
    return false;
}

/* --- how it went ------------------------------------------------------------------------------------------
 */

static void describe(const struct usb_action *action, char text[TEXT_SIZE])
{
    char fails[TEXT_SIZE / 2] = "";
    if (action->fails)
        snprintf(fails, sizeof fails, " fails with \"%.80s\"", action->fails);
    switch (action->act) {
    case USB_CONTROL:
        snprintf(text, TEXT_SIZE, "USB request type 0x%02x, number 0x%02x, value 0x%04x, index 0x%04x%s",
                 action->type, action->request, action->value, action->index, fails);
        break;
    case USB_REQUEST:
        snprintf(text, TEXT_SIZE, "Particle request %u over USB%s", action->request, fails);
        break;
    case USB_UPDATE:
        snprintf(text, TEXT_SIZE, "firmware update over USB%s", fails);
        break;
    case USB_YMODEM:
        snprintf(text, TEXT_SIZE, "firmware update by YMODEM%s", fails);
        break;
    case USB_SERIAL:
        snprintf(text, TEXT_SIZE, "USB serial line%s%.80s%s%s", action->wanted ? " says \"" : "",
                 action->wanted ? action->wanted : "", action->wanted ? "\"" : "", fails);
        break;
    default:
        snprintf(text, TEXT_SIZE, "DFU %s alt %u at 0x%08x%s",
                 action->act == USB_UPLOAD ? "upload from" : "download to", action->alt, action->address,
                 fails);
        break;
    }
}

static void say_answer(char saw[TEXT_SIZE], const uint8_t *bytes, uint32_t size)
{
    int used = snprintf(saw, TEXT_SIZE, "%u bytes:", size);
    for (uint32_t i = 0; i < size && used > 0 && used < TEXT_SIZE - 8; i++)
        used += snprintf(saw + used, (size_t)(TEXT_SIZE - used), " %02X", bytes[i]);
}

/* The request has ended: `failed` in words, or NULL; `bytes` is what came. Adds an expectation to the result.
 */
static void judge_answer(struct runner *run, const char *failed, const uint8_t *bytes, uint32_t got)
{
    struct usb_task *task = &run->usb_task;
    const struct usb_action *action = task->action;
    if (!task->under_way)
        return; /* the run is over */
    const struct byte_string *wanted = action->act == USB_UPLOAD ? &action->content : &action->answer;
    bool compares = action->act == USB_UPLOAD || action->has_answer;
    char text[TEXT_SIZE], saw[TEXT_SIZE] = "done";
    bool ok = action->fails ? failed && strstr(failed, action->fails) : !failed;
    describe(action, text);
    if (failed) {
        snprintf(saw, sizeof saw, "%s", failed);
    } else if (compares) {
        say_answer(saw, bytes, got);
        ok = ok && got >= wanted->length && !memcmp(bytes, wanted->bytes, wanted->length);
    } else if (action->act == USB_SERIAL) {
        snprintf(saw, sizeof saw, "%.*s", TEXT_SIZE - 1, (const char *)bytes);
    } else if (got) {
        say_answer(saw, bytes, got);
    }
    run_trace(run, "usb: %s: %s", text, saw);
    result_add_expectation(run->result, text, ok, saw);
    task->under_way = false;
    machine_stop(&run->machine);
}

/* For what gives no bytes to look at. */
static void judge(struct runner *run, const char *failed)
{
    judge_answer(run, failed, NULL, 0);
}

void run_usb_judge(struct runner *run)
{
    if (run->usb_task.under_way)
        judge(run, "still under way at the end");
}

static void job_done(void *context, struct dfu_job *job)
{
    bool upload = job->kind == DFU_UPLOAD;
    judge_answer(context, job->ok ? NULL : job->why, upload ? job->data : NULL, upload ? job->moved : 0);
}

static void transfer_done(void *context, struct usb_transfer *transfer)
{
    bool reads = transfer->setup[0] & 0x80;
    judge_answer(context, transfer->result == USB_OK ? NULL : usb_result_text(transfer->result),
                 transfer->data, reads ? transfer->actual : 0);
}

static void request_done(void *context, struct particle_request *request)
{
    char text[TEXT_SIZE];
    snprintf(text, sizeof text, "result %d", (int)request->result);
    judge_answer(context,
                 request->failed   ? request->failed
                 : request->result ? text
                                   : NULL,
                 request->reply, request->reply_size);
}

static void update_done(void *context, struct particle_update *update)
{
    judge(context, update->ok ? NULL : update->why);
}

static void ymodem_done(void *context, struct ymodem_job *job)
{
    judge(context, job->ok ? NULL : job->why);
}

static void serial_done(void *context, struct cdc_job *job)
{
    judge_answer(context, job->ok ? NULL : job->why, (const uint8_t *)job->received, 0);
}

/* --- what is asked for ------------------------------------------------------------------------------------
 */

static int refuse(struct runner *run, const struct usb_action *action, const char *text)
{
    return json_doc_error(&run->scenario->doc, action->at, &run->failure, "%s", text);
}

/* Makes task->data what is to be sent, or room for what comes. */
static int make_data(struct runner *run, const struct usb_action *action)
{
    struct usb_task *task = &run->usb_task;
    bool reads = action->act == USB_UPLOAD || (action->act == USB_CONTROL && action->type & 0x80);
    free(task->data);
    task->data = NULL;
    if (action->has_module) {
        size_t size = 0;
        if (device_module_file(&run->device, &action->module, &task->data, &size, &run->failure))
            return -1;
        if (size <= action->skip)
            return refuse(run, action, "\"skip\" leaves nothing of the module");
        memmove(task->data, task->data + action->skip, size - action->skip);
        task->size = (uint32_t)(size - action->skip);
        return 0;
    }
    task->size = (uint32_t)(action->act == USB_CONTROL && reads ? action->length : action->content.length);
    task->data = calloc(1, task->size ? task->size : 1);
    if (!task->data)
        return refuse(run, action, "out of memory");
    if (!reads && task->size)
        memcpy(task->data, action->content.bytes, task->size);
    return 0;
}

static void start_transfer(struct runner *run, const struct usb_action *action)
{
    struct usb_task *task = &run->usb_task;
    task->transfer = (struct usb_transfer){.data = task->data,
                                           .length = task->size,
                                           .timeout = REQUEST_TIMEOUT,
                                           .done = transfer_done,
                                           .context = run};
    usb_setup(task->transfer.setup, (uint8_t)action->type, (uint8_t)action->request, (uint16_t)action->value,
              (uint16_t)action->index, (uint16_t)task->size);
    usb_host_submit(&run->usb, &task->transfer);
}

static void start_job(struct runner *run, const struct usb_action *action)
{
    struct usb_task *task = &run->usb_task;
    task->job = (struct dfu_job){.kind = action->act == USB_UPLOAD ? DFU_UPLOAD : DFU_DOWNLOAD,
                                 .alt = (uint8_t)action->alt,
                                 .address = action->address,
                                 .data = task->data,
                                 .size = task->size,
                                 .leave = action->leave,
                                 .done = job_done,
                                 .context = run};
    dfu_start(&task->job, &run->usb);
}

static void start_request(struct runner *run, const struct usb_action *action)
{
    struct particle_request *request = &run->usb_task.request;
    request->number = (uint16_t)action->request;
    request->payload_size = run->usb_task.size; /* the parser has checked it */
    memcpy(request->payload, run->usb_task.data, request->payload_size);
    request->done = request_done;
    request->context = run;
    particle_request_start(request, &run->usb);
}

static void start_update(struct runner *run)
{
    struct usb_task *task = &run->usb_task;
    task->update =
        (struct particle_update){.data = task->data, .size = task->size, .done = update_done, .context = run};
    particle_update_start(&task->update, &run->usb);
}

static void start_ymodem(struct runner *run)
{
    struct usb_task *task = &run->usb_task;
    task->ymodem =
        (struct ymodem_job){.data = task->data, .size = task->size, .done = ymodem_done, .context = run};
    ymodem_start(&task->ymodem, &run->usb);
}

static void start_serial(struct runner *run, const struct usb_action *action)
{
    struct usb_task *task = &run->usb_task;
    task->serial = (struct cdc_job){.send = task->data,
                                    .send_size = task->size,
                                    .wanted = action->wanted,
                                    .timeout = (uint64_t)(action->within_ms * (double)CYCLES_PER_MS),
                                    .done = serial_done,
                                    .context = run};
    cdc_start(&task->serial, &run->usb);
}

static void start(struct runner *run, const struct usb_action *action)
{
    switch (action->act) {
    case USB_CONTROL:
        start_transfer(run, action);
        break;
    case USB_REQUEST:
        start_request(run, action);
        break;
    case USB_UPDATE:
        start_update(run);
        break;
    case USB_YMODEM:
        start_ymodem(run);
        break;
    case USB_SERIAL:
        start_serial(run, action);
        break;
    default:
        start_job(run, action);
        break;
    }
}

int run_usb_act(struct runner *run, const struct usb_action *action)
{
    if (action->act == USB_PLUG) {
        machine_set_usb(&run->machine, action->plug);
        return 0;
    }
    if (run->usb_task.under_way)
        return refuse(run, action, "the request before is still under way; wait for {\"usb\": \"done\"}");
    if (make_data(run, action))
        return -1;
    run->usb_task.action = action;
    run->usb_task.under_way = true;
    start(run, action);
    return 0;
}
